"""Several threads that start at the same moment."""

from collections.abc import Callable
from threading import Barrier, Thread


def at_once(number: int, act: Callable[[int], object]) -> None:
    """Call *act* in *number* threads that start together."""
    barrier, errors = Barrier(number), list[BaseException]()

    def work(n: int) -> None:
        barrier.wait()
        try:
            act(n)
        except BaseException as exc:  # noqa: BLE001  raised again in the test's own thread
            errors.append(exc)

    threads = [Thread(target=work, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
