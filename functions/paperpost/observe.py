"""The service's Logger and Metrics, named once."""

from aws_lambda_powertools import Logger, Metrics

logger = Logger(service="paperpost", log_uncaught_exceptions=True)
metrics = Metrics(namespace="Paperpost", service="paperpost")
