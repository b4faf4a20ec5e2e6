"""Point-in-time recovery in process: a table as it was, under the name that functions know."""

from typing import Any

import boto3


def snapshot(name: str) -> list[dict[str, Any]]:
    """What the table holds now."""
    return boto3.client("dynamodb").scan(TableName=name)["Items"]


def restore(name: str, items: list[dict[str, Any]]) -> None:
    """Put another table in the place of *name*, with *items* of a while ago."""
    client: Any = boto3.client("dynamodb")
    told = client.describe_table(TableName=name)["Table"]
    indexes = [
        {key: index[key] for key in ("IndexName", "KeySchema", "Projection")}
        for index in told.get("GlobalSecondaryIndexes", ())
    ]
    client.delete_table(TableName=name)
    client.create_table(
        TableName=name,
        AttributeDefinitions=told["AttributeDefinitions"],
        KeySchema=told["KeySchema"],
        BillingMode="PAY_PER_REQUEST",
        **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
    )
    put_back(name, items)


def put_back(name: str, items: list[dict[str, Any]]) -> None:
    """Overwrite rows of the same table with *items*, and drop those that came since."""
    client: Any = boto3.client("dynamodb")
    kept = {(item["pk"]["S"], item["sk"]["S"]) for item in items}
    for item in snapshot(name):
        if (item["pk"]["S"], item["sk"]["S"]) not in kept:
            client.delete_item(TableName=name, Key={"pk": item["pk"], "sk": item["sk"]})
    for item in items:
        client.put_item(TableName=name, Item=item)
