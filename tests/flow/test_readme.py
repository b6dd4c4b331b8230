"""The example of the README, as it stands there."""

import os
import re
import subprocess

import flowforge
import server as servers

README = (flowforge.ROOT / "README.md").read_text()


def test_the_example_works_as_it_is_written(tmp_path):
    (tmp_path / "shop.yaml").write_text(re.search(r"```yaml\n(.*?)```", README, re.DOTALL).group(1))
    (tmp_path / "orders-2026-11.csv").write_text(
        "order_id,amount,ordered_at\n1,10.5,2026-11-01 10:00\n2,4.5,2026-11-01 11:00\n1,11.5,2026-11-02 09:00\n"
    )
    os.utime(tmp_path / "orders-2026-11.csv", (1_700_000_000,) * 2)
    block = next(one for one in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "flowforge apply" in one)
    alone, served = block.replace("cp ", "cp -p ").split("\nflowforge serve", 1)
    env = {**os.environ, "PATH": f"{flowforge.PROGRAM.parent}:{os.environ['PATH']}"}

    def shell(text):
        done = subprocess.run(
            ["bash", "-euc", text], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done
        return done.stdout

    out = shell(alone)
    assert "gold.revenue: 2 rows" in out
    assert "2026-11-02  11.5" in out
    with servers.Server(tmp_path / "lake") as server:
        rest = served.split("\n", 1)[1].replace("http://127.0.0.1:8765", server.url)
        answer = shell("export FLOWFORGE_HOME=lake\n" + rest.replace("curl ", "curl -sf "))
        assert '"state_type":"' in answer
        server.wait(server.get("/api/runs")["items"][0])
