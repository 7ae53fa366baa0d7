"""Does redis-py do its work with hashes?   redis_py.py PORT

From connect to close, in both protocols, over pipelines and a pool.
"""

import sys
import time

import redis

port = int(sys.argv[1])


def refused(kind, text, call):
    try:
        call()
    except kind as error:
        assert text in str(error), error
    else:
        raise AssertionError(f"{text} was expected")


def work(protocol):
    client = redis.Redis(port=port, protocol=protocol, client_name=f"py-{protocol}", decode_responses=True)
    assert client.ping() is True
    client.flushall()

    assert client.hset("user:1", mapping={"name": "Ada", "visits": 41, "city": "London"}) == 3
    assert client.hgetall("user:1") == {"name": "Ada", "visits": "41", "city": "London"}
    assert client.hincrby("user:1", "visits") == 42
    assert client.hincrbyfloat("user:1", "score", 1.5) == 1.5
    assert client.hmget("user:1", "name", "none") == ["Ada", None]
    assert client.hsetnx("user:1", "name", "Eve") in (0, False)
    assert client.hexists("user:1", "city") is True and client.hlen("user:1") == 4
    assert client.hstrlen("user:1", "city") == 6
    assert client.hdel("user:1", "city", "none") == 1
    assert sorted(client.hkeys("user:1")) == ["name", "score", "visits"]
    assert client.hget("none", "f") is None and client.hgetall("none") == {}
    assert len(client.hrandfield("user:1", 3, withvalues=True)) == (6 if protocol == 2 else 3)
    assert len(client.hrandfield("user:1", 2)) == 2

    assert client.hexpire("user:1", 100, "visits", "none") == [1, -2]
    assert 98 <= client.httl("user:1", "visits")[0] <= 100
    assert client.httl("user:1", "name", "none") == [-1, -2]
    assert client.hpersist("user:1", "visits") == [1]
    assert client.hpexpire("user:1", 20, "score") == [1]
    time.sleep(0.1)
    assert client.hget("user:1", "score") is None
    assert client.hgetex("user:1", "name", ex=50) == ["Ada"]
    assert client.hsetex("user:1", mapping={"token": "x"}, ex=50) == 1
    assert client.hgetdel("user:1", "token") == ["x"]

    client.hset("wide", mapping={f"field:{n}": n for n in range(2000)})
    assert dict(client.hscan_iter("wide", count=100)) == {f"field:{n}": str(n) for n in range(2000)}
    assert len(dict(client.hscan_iter("wide", match="field:19*"))) == 111

    with client.pipeline(transaction=False) as pipeline:
        for n in range(1000):
            pipeline.hset(f"many:{n}", mapping={"n": n, "square": n * n})
        assert pipeline.execute() == [2] * 1000
        for n in range(1000):
            pipeline.hget(f"many:{n}", "square")
        pipeline.hget("many:1", "none")
        assert pipeline.execute() == [str(n * n) for n in range(1000)] + [None]
        pipeline.hset("user:1", "a", 1).get("user:1").ping()
        results = pipeline.execute(raise_on_error=False)
        assert results[0] == 1 and isinstance(results[1], redis.ResponseError) and results[2]
    assert len(set(client.scan_iter("many:*", count=50))) == 1000
    assert sorted(client.scan_iter(match="user:*", _type="hash")) == ["user:1"]

    assert client.set("s", "v", ex=100) and client.get("s") == "v" and client.ttl("s") in (99, 100)
    assert client.incr("n", 5) == 5 and client.mget("s", "n", "none") == ["v", "5", None]
    refused(redis.ResponseError, "WRONGTYPE", lambda: client.hget("s", "f"))
    refused(redis.ResponseError, "hash value is not an integer", lambda: client.hincrby("user:1", "name"))
    refused(redis.ResponseError, "unknown command", lambda: client.execute_command("NOSUCH", "a"))

    assert client.type("user:1") == "hash" and client.object("encoding", "wide") == "hashtable"
    assert client.memory_usage("wide") > 2000
    assert client.client_getname() == f"py-{protocol}" and client.client_id() > 0
    own = [row for row in client.client_list() if row["name"] == f"py-{protocol}"]
    assert [row["resp"] for row in own] == [str(protocol)] and own[0]["lib-name"].startswith("redis-py")
    assert client.info("server")["redis_mode"] == "standalone"
    info = client.info("everything")
    assert info["db0"]["keys"] == client.dbsize() and info["cmdstat_hset"]["calls"] > 1000
    assert client.config_get("hash-max-listpack-*")["hash-max-listpack-entries"] == "512"
    assert client.config_set("timeout", 0) and client.config_resetstat()
    assert client.command_count() > 90 and "hset" in client.command()
    assert client.exists("s", "none") == 1 and client.unlink("s") == 1
    client.close()

    binary = redis.Redis(port=port, protocol=protocol)
    odd = bytes(range(256))
    assert binary.hset(odd, odd, odd) == 1 and binary.hgetall(odd) == {odd: odd}
    big = b"\r\n\0x" * (4 << 20)
    assert binary.hset("big", "f", big) == 1 and binary.hget("big", "f") == big
    assert binary.hset("big", "empty", b"") == 1 and binary.hget("big", "empty") == b""
    binary.close()

    # Another database, on a pool's connections.
    pool = redis.ConnectionPool(port=port, db=3, protocol=protocol)
    other = redis.Redis(connection_pool=pool)
    assert other.dbsize() == 0 and other.hset("h", "f", 1) == 1
    assert other.flushdb() and other.dbsize() == 0
    pool.disconnect()


for version in (2, 3):
    work(version)
print(f"redis-py {redis.__version__}: well, in RESP2 and RESP3")
