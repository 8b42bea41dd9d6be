"""Faults over real sockets: what each leads to at a client, found again in the account by its id."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from services.mock_exchange.io.admin import TOKEN_VARIABLE
from tests.mock_exchange.build import Server, parse, running
from tests.mock_exchange.faults.trader import Trader

TOKEN = "a-token-for-tests"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    async with running(seed=3) as up:
        yield up


async def _read_to_the_end(socket: websockets.ClientConnection) -> None:
    while True:
        await socket.recv()


async def put(server: Server, *faults: dict[str, Any]) -> None:
    named = [{"id": f"f{number}"} | fault for number, fault in enumerate(faults)]
    answer = await server.client.put(f"{server.http}/admin/faults", headers=ADMIN, json={"seed": 5, "faults": named})
    assert answer.status_code == 200, answer.text


async def injected(server: Server) -> list[dict[str, Any]]:
    log: list[dict[str, Any]] = (await server.client.get(f"{server.http}/admin/faults/log", headers=ADMIN)).json()
    return log


async def test_a_lost_ack_leaves_an_order_that_a_query_by_client_id_finds(server: Server) -> None:
    trader = Trader(server)
    await put(server, {"kind": "lost_ack", "target": "POST /api/v3/order", "answer": "disconnect", "most": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        await trader.buy("lost-1")
    assert [entry["id"] for entry in await injected(server)] == ["f0-1"]
    found = await trader.query("lost-1")
    assert (found["status"], found["clientOrderId"]) == ("NEW", "lost-1")
    duplicate = await trader.buy("lost-1")
    assert (duplicate.status_code, duplicate.json()["msg"]) == (400, "Duplicate order sent.")


@pytest.mark.parametrize(
    ("answer", "status", "code"), [("503", 503, -1000), ("-1007", 408, -1007), ("-1006", 400, -1006)]
)
async def test_an_answer_may_be_replaced_by_one_that_knows_nothing(
    server: Server, answer: str, status: int, code: int
) -> None:
    trader = Trader(server)
    await put(server, {"kind": "lost_ack", "target": "POST /api/v3/order", "answer": answer, "most": 1})
    told = await trader.buy("unknown-1")
    assert (told.status_code, told.json()["code"]) == (status, code)
    assert (await trader.query("unknown-1"))["status"] == "NEW"


async def test_a_dropped_request_leaves_no_order(server: Server) -> None:
    trader = Trader(server)
    await put(server, {"kind": "dropped_request", "target": "POST /api/v3/order", "most": 1})
    with pytest.raises(httpx.RemoteProtocolError):
        await trader.buy("never-1")
    assert (await trader.query("never-1"))["code"] == -2013


async def test_refusals_are_the_venues_or_somebodys_page(server: Server) -> None:
    trader = Trader(server)
    await put(
        server,
        {"kind": "rate_limited", "status": 429, "retry_after_s": 7, "most": 1},
        {"kind": "rate_limited", "status": 418, "retry_after_s": 120, "most": 1},
        {"kind": "server_error", "status": 502, "body": "html", "most": 1},
    )
    answers = [await trader.buy(f"r-{number}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [429, 418, 502, 200]
    assert [answer.headers.get("Retry-After") for answer in answers[:2]] == ["7", "120"]
    assert "banned until" in answers[1].json()["msg"]
    assert answers[2].headers["content-type"].startswith("text/html") and answers[2].text.startswith("<html>")


async def test_a_delayed_answer_comes_behind_the_user_streams_event(server: Server) -> None:
    trader = Trader(server)
    await put(server, {"kind": "delayed_ack", "target": "POST /api/v3/order", "latency": {"mean_ms": 400}})
    async with trader.user_stream() as events:
        placing = asyncio.create_task(trader.buy("slow-1"))
        event = await asyncio.wait_for(anext(events), 5)
        assert event["e"] == "executionReport" and event["c"] == "slow-1" and not placing.done()
        assert (await placing).status_code == 200


async def test_latency_comes_before_the_request_is_carried_out(server: Server) -> None:
    trader = Trader(server)
    await put(server, {"kind": "request_latency", "target": "POST *", "latency": {"mean_ms": 300}})
    placing = asyncio.create_task(trader.buy("late-1"))
    await asyncio.sleep(0.1)
    assert (await trader.query("late-1"))["code"] == -2013
    assert (await placing).status_code == 200


async def test_a_fill_comes_before_the_cancel(server: Server) -> None:
    trader = Trader(server)
    await put(server, {"kind": "fill_before_cancel", "fill_share": 0.4})
    order = (await trader.buy("race-1", near=True, quantity="0.01000")).json()
    assert order["status"] in ("NEW", "PARTIALLY_FILLED")
    cancelled = await trader.cancel("race-1")
    left = 0.01 - float(order["executedQty"])
    assert cancelled["status"] == "CANCELED"
    assert float(cancelled["executedQty"]) >= float(order["executedQty"]) + 0.39 * left
    assert len(await injected(server)) == 1, "of requests only the cancel was hit"
    await put(server, {"kind": "fill_before_cancel", "target": "DELETE /api/v3/order", "fill_share": 1})
    await trader.buy("race-2", near=True, quantity="0.01000")
    assert (await trader.cancel("race-2"))["code"] == -2011
    assert (await trader.query("race-2"))["status"] == "FILLED"


async def test_a_stale_snapshot_is_older_than_the_stream(server: Server) -> None:
    await put(server, {"kind": "stale_snapshot", "age_s": 1.0, "after_s": 1.5, "most": 1})
    await asyncio.sleep(1.6)
    stale, fresh = await server.snapshot(), await server.snapshot()
    assert fresh["lastUpdateId"] - stale["lastUpdateId"] > 20
    ids = [stale["lastUpdateId"], fresh["lastUpdateId"]]
    async with websockets.connect(f"{server.ws}/ws/btcusdt@depth@100ms") as socket:
        first = parse(await socket.recv())
    assert ids[0] + 1 < first["U"]


async def test_the_clock_can_be_off(server: Server) -> None:
    trader = Trader(server)
    await put(server, {"kind": "clock_skew", "skew_ms": -5000})
    told_ms = (await server.get(f"{server.http}/api/v3/time"))["serverTime"]
    assert told_ms == pytest.approx(time.time() * 1000 - 5000, abs=2000)
    refused = (await trader.buy("early-1")).json()
    assert refused["code"] == -1021 and "ahead of the server's time" in refused["msg"]


async def test_a_halt_stops_flow_and_orders_and_lets_cancels_through(server: Server) -> None:
    trader = Trader(server)
    await trader.buy("before-1")
    await put(server, {"kind": "halt", "symbol": "BTCUSDT"})
    assert (await trader.buy("at-once-1")).status_code == 400, "in force when the plan is taken up"
    first = (await server.snapshot())["lastUpdateId"]
    refused = (await trader.buy("during-1")).json()
    assert (refused["code"] == -1013 and "closed" in refused["msg"]) or refused["msg"] == "Market is closed."
    info = await server.get(f"{server.http}/api/v3/exchangeInfo?symbol=BTCUSDT")
    assert info["symbols"][0]["status"] == "HALT"
    assert (await server.snapshot())["lastUpdateId"] == first
    assert (await trader.cancel("before-1"))["status"] == "CANCELED"
    others = (await server.snapshot("ETHUSDT"))["lastUpdateId"]
    await put(server)
    await asyncio.sleep(0.8)
    assert (await server.snapshot())["lastUpdateId"] > first + 5
    assert (await server.snapshot("ETHUSDT"))["lastUpdateId"] > others
    assert (await trader.buy("after-1")).status_code == 200


async def test_a_disconnect_cuts_readers_and_frames_can_stall(server: Server) -> None:
    async with websockets.connect(f"{server.ws}/ws/btcusdt@depth@100ms") as socket:
        last, gap = parse(await socket.recv())["u"], 0
        await put(server, {"kind": "stall", "target": "btcusdt@depth*", "stall_s": 1.0, "most": 1})
        end = time.monotonic() + 2
        while time.monotonic() < end:
            event = parse(await asyncio.wait_for(socket.recv(), 3))
            gap, last = max(gap, event["U"] - last - 1), event["u"]
        assert gap > 10
        await put(server, {"kind": "disconnect", "target": "btcusdt@depth*", "most": 1})
        with pytest.raises(websockets.ConnectionClosedError):
            await asyncio.wait_for(_read_to_the_end(socket), 3)


async def test_faults_reach_the_websocket_api(server: Server) -> None:
    await put(
        server,
        {"kind": "server_error", "target": "WS ping", "code": -1008, "status": 503, "message": "busy", "most": 1},
    )
    async with websockets.connect(f"{server.ws}/ws-api/v3") as socket:
        for status in (503, 200):
            await socket.send(json.dumps({"id": "x", "method": "ping"}))
            answer = parse(await socket.recv())
            assert (answer["id"], answer["status"]) == ("x", status)


async def test_the_admin_endpoint_wants_its_token_and_a_plan_that_is_one(server: Server, tmp_path: Path) -> None:
    url, client = f"{server.http}/admin/faults", server.client
    assert (await client.get(url)).status_code == 401
    assert (await client.get(url, headers={"Authorization": "Bearer wrong-token"})).status_code == 401
    refused = await client.put(url, headers=ADMIN, json={"faults": [{"id": "x", "kind": "no"}]})
    assert refused.status_code == 422 and "faults.0" in refused.json()["error"]
    unknown = await client.put(url, headers=ADMIN, json={"faults": [{"id": "x", "kind": "halt", "symbol": "NOPE"}]})
    assert unknown.status_code == 422 and "NOPE, which is not listed" in unknown.json()["error"]
    paid = {"account": "demo", "asset": "DOGE", "amount": "7.5"}
    assert (await client.post(f"{server.http}/admin/deposit", headers=ADMIN, json=paid)).status_code == 200
    balances = {line["asset"]: line["free"] for line in (await Trader(server).account())["balances"]}
    assert balances["DOGE"] == "7.50000000"


async def test_without_a_token_the_admin_endpoint_is_off() -> None:
    async with running() as server:
        answer = await server.client.get(f"{server.http}/admin/faults", headers=ADMIN)
    assert answer.status_code == 403 and TOKEN_VARIABLE in answer.json()["error"]


async def test_a_plan_in_a_file_acts_from_the_start(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"faults": [{"id": "down", "kind": "server_error", "target": "GET /api/v3/ping"}]}))
    async with running(fault_plan_file=str(plan)) as server:
        assert (await server.client.get(f"{server.http}/api/v3/ping")).status_code == 503
        assert (await server.stage())["faults"] == {"server_error": 1}
