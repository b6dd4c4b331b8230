"""Who owns a home: one server at a time, and a killed one only until its last child has let go of the lock."""

import fcntl
import json
import subprocess
import sys
import threading

from server import Server


def dead_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_lock_of_a_killed_server_is_waited_for(tmp_path):
    server = Server(tmp_path / "home").start()
    server.kill()
    with (tmp_path / "home" / "server.lock").open("r+") as lock:
        lock.write(json.dumps({"pid": dead_process()}))
        lock.truncate()
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Timer(0.4, fcntl.flock, (lock, fcntl.LOCK_UN)).start()
        with Server(tmp_path / "home") as again:
            assert again.listening_after >= 0.4
            assert again.raw("GET", "/healthz").status_code == 200


def test_a_second_server_is_refused_at_once(tmp_path):
    with Server(tmp_path / "home") as server:
        words = [str(server.program), "serve", "--home", str(server.home), "--listen", "127.0.0.1:0"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=1.5)
        assert done.returncode == 1
        assert f"is in use by process {server.process.pid}" in done.stderr
