"""Putting files: only those whose bytes changed, and only over what was there before the data."""

from collections.abc import Iterable, Mapping

from paperpost.storage.site import SiteBucket, StoredFile, digest


def put_changed(
    site: SiteBucket,
    files: Mapping[str, bytes],
    noted: Mapping[str, str],
    etags: Mapping[str, str],
) -> tuple[dict[str, str], int]:
    """
    Put each of *files* that differs from what is published, as long as nobody else has put it.

    *noted*: path → digest of what was put before; without a note the bucket itself is asked.
    *etags*: what was there before the data were read.
    Returns: the digests to note, and how many files were put.
    Raises: ConflictError: If another publisher came first; what it made may be newer.
    """
    digests, puts = {}, 0
    for path, body in files.items():
        digests[path] = digest(body)
        if noted.get(path) == digests[path]:
            continue
        if path not in noted:
            stored = site.get(path)
            if stored is not None and stored.body == body:
                continue
        site.replace(path, body, etag=etags.get(path))
        puts += 1
    return digests, puts


def read_files(site: SiteBucket, paths: Iterable[str]) -> dict[str, StoredFile | None]:
    """What readers see at each of *paths*; to be read before the data that is to replace it."""
    return {path: site.get(path) for path in paths}


def replace_changed(
    site: SiteBucket, files: Mapping[str, bytes], stored: Mapping[str, StoredFile | None]
) -> tuple[dict[str, str], int]:
    """
    Put each of *files* that differs from *stored*, as long as nobody else has put it since.

    Returns: the digests to note, and how many files were put.
    Raises: ConflictError: If another publisher came first; what it made may be newer.
    """
    puts = 0
    for path, body in files.items():
        there = stored[path]
        if there is None or there.body != body:
            site.replace(path, body, etag=there.etag if there else None)
            puts += 1
    return {path: digest(body) for path, body in files.items()}, puts
