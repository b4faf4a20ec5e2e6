"""Putting files: only those whose bytes changed, in the order given."""

from collections.abc import Mapping

from paperpost.storage.site import SiteBucket, digest


def put_changed(
    site: SiteBucket, files: Mapping[str, bytes], noted: Mapping[str, str]
) -> tuple[dict[str, str], int]:
    """
    Put each of *files* that differs from what is published.

    *noted*: path → digest of what was put before; without a note the bucket itself is asked.
    Returns: the digests to note, and how many files were put.
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
        site.put(path, body)
        puts += 1
    return digests, puts
