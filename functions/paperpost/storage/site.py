"""The site's bucket: files that readers see, and the frozen issues that deliver reads."""

import hashlib
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from paperpost.domain.errors import ConflictError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

# Content types by ending; feeds keep their own types so that browsers and readers know them.
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".xml": "application/xml; charset=utf-8",
    "rss.xml": "application/rss+xml; charset=utf-8",
    "atom.xml": "application/atom+xml; charset=utf-8",
    "feed.json": "application/feed+json; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".bib": "application/x-bibtex; charset=utf-8",
    ".opml": "text/x-opml; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".gz": "application/gzip",
}
# 412: the file is another one by now; 409: it is being written at this moment; 404: it is gone.
# Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html, 2026-11-26.
_CONFLICTS = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409"}
# Short, since CloudFront is not told of changes: a reader sees a new file at the latest after this.
_MAX_AGE_S = 300


class StoredFile(NamedTuple):
    """A file's bytes and the ETag to compare when replacing it."""

    body: bytes
    etag: str


class SiteBucket:
    """Reads and writes files of the site by their path, such as `cs.CV/rss.xml`."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._s3, self._bucket = client, bucket

    def get(self, path: str) -> StoredFile | None:
        """The file at *path*, or None if there is none."""
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=path)
        except self._s3.exceptions.NoSuchKey:
            return None
        return StoredFile(answer["Body"].read(), answer["ETag"])

    def etags(self, folder: str = "", *, since: str = "") -> dict[str, str]:
        """Path → ETag of the files in *folder* (itself alone), from the name *since* on."""
        prefix = f"{folder}/" if folder else ""
        pages = self._s3.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, Delimiter="/", StartAfter=prefix + since
        )
        return {one["Key"]: one["ETag"] for page in pages for one in page.get("Contents", ())}

    def put(self, path: str, body: bytes) -> None:
        """Replace the file at *path*."""
        self._s3.put_object(
            Bucket=self._bucket,
            Key=path,
            Body=body,
            ContentType=content_type(path),
            CacheControl=f"public, max-age={_MAX_AGE_S}",
        )

    def replace(self, path: str, body: bytes, *, etag: str | None) -> None:
        """
        Put the file at *path* if what is there is still what has *etag* (None: nothing).

        Raises: ConflictError: If somebody else put it since; nothing was changed.
        """
        put = partial(
            self._s3.put_object,
            Bucket=self._bucket,
            Key=path,
            Body=body,
            ContentType=content_type(path),
            CacheControl=f"public, max-age={_MAX_AGE_S}",
        )
        try:
            put(IfMatch=etag) if etag else put(IfNoneMatch="*")
        except self._s3.exceptions.ClientError as exc:
            if exc.response["Error"]["Code"] not in _CONFLICTS:
                raise
            raise ConflictError(f"{path} was put by another publisher meanwhile") from exc

    def put_once(self, path: str, body: bytes) -> bytes:
        """Put the file if there is none, and return the bytes that are at *path* afterwards."""
        try:
            self._s3.put_object(
                Bucket=self._bucket,
                Key=path,
                Body=body,
                ContentType=content_type(path),
                IfNoneMatch="*",
            )
        except self._s3.exceptions.ClientError as exc:
            if exc.response["Error"]["Code"] not in {"PreconditionFailed", "412"}:
                raise
            stored = self.get(path)
            assert stored is not None
            return stored.body
        return body


def content_type(path: str) -> str:
    """The Content-Type of the file at *path*, always with its charset where it is text."""
    name = path.rsplit("/", 1)[-1]
    parts = name.split(".")
    # rss.zh.xml is an RSS feed as rss.xml is.
    plain = f"{parts[0]}.{parts[-1]}"
    return CONTENT_TYPES.get(plain) or CONTENT_TYPES.get(
        f".{parts[-1]}", "application/octet-stream"
    )


def digest(body: bytes) -> str:
    """Sixteen hex digits that change with the bytes."""
    return hashlib.sha256(body).hexdigest()[:16]
