"""The parent of one database server: it ends the server when its own starter ends, however that happens.

`python -m sandbox.engines.guard UID GID REMOVE -- COMMAND …` starts COMMAND (as UID:GID unless they are -1), prints its
process id and waits. Standard input closed means that the starter has stopped or died (SIGKILL closes a pipe, too):
the server is ended and the directory REMOVE removed (`-`: nothing). Should the guard be killed, Linux kills the
server. A process of its own: PR_SET_PDEATHSIG follows the starting *thread*, and tests start servers from pools.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    """Serve one server; returns its exit status (0 when it was ended on purpose)."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # only the pipe decides
    split = arguments.index("--")
    (uid, gid, remove), command = arguments[:split], arguments[split + 1 :]
    library = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

    def become() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        if int(uid) >= 0:
            os.setgroups([])
            os.setgid(int(gid))
            os.setuid(int(uid))
        if library is not None:  # after setuid, which clears it
            library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    # This process has one thread, so preexec_fn is safe here.
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, preexec_fn=become)
    print(server.pid, flush=True)
    ended_on_purpose = threading.Event()

    def wait_for_starter() -> None:
        sys.stdin.buffer.read()
        ended_on_purpose.set()
        server.kill()  # its data goes with it: an orderly shutdown would write for seconds what nobody reads

    watcher = threading.Thread(target=wait_for_starter, daemon=True)
    watcher.start()
    status = server.wait()
    died = not ended_on_purpose.is_set()
    watcher.join()  # the log of a server that died by itself stays until its starter has read it
    if remove != "-":
        shutil.rmtree(remove, ignore_errors=True)
    return (abs(status) % 256 or 1) if died else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
