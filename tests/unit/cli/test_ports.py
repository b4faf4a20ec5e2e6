"""The laptop cloud's ports: those that are known, where they are free."""

import socket
from collections.abc import Iterator

import pytest

from paperpost_cli.cloud.emulator import free_port
from paperpost_cli.local import choose_ports


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_free_ports_are_used_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    emulator, standin = free_port(), free_port()

    assert choose_ports(emulator, standin) == (emulator, standin)
    assert capsys.readouterr().err == ""


def test_a_taken_port_is_replaced_and_said_in_one_line(
    taken: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other one stays what it is; the line names the ports that are used."""
    standin = free_port()

    found = choose_ports(taken, standin)

    said = capsys.readouterr().err
    assert found[0] not in {0, taken}
    assert found[1] == standin
    assert said.count("\n") == 1
    assert f"Port {taken} or {standin} is taken" in said
    assert f"127.0.0.1:{found[0]}" in said


def test_a_port_is_free_again_when_its_server_has_ended() -> None:
    """Connections that were just closed do not hold it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        accepted, _ = server.accept()
        accepted.close()
        client.close()

    assert free_port(port) == port
