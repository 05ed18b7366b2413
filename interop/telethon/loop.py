"""Telethon with its own defaults, making one call for each line that it is told: `NUMBER CALL`."""

import asyncio
import json
import logging
import sys

from telethon import errors, functions

from local import client, server

logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")


async def main():
    telegram = client({})
    await telegram.connect()
    account = server["accounts"][0]
    await telegram.send_code_request(account["phone"])
    await telegram.sign_in(account["phone"], account["code"])
    rows = (await telegram(functions.account.GetWebAuthorizationsRequest())).authorizations
    hashes = [row.hash for row in rows]
    requests = {
        "self": lambda: functions.users.GetUsersRequest(["me"]),
        "list": functions.account.GetWebAuthorizationsRequest,
        "reset": lambda: functions.account.ResetWebAuthorizationRequest(hash=hashes.pop()),
    }
    tell({"ready": len(hashes)})
    running = set()
    while line := await asyncio.to_thread(sys.stdin.readline):
        number, name = line.split()
        running.add(asyncio.create_task(call(telegram, number, requests[name]())))
    await telegram.disconnect()
    print("done")


async def call(telegram, number, request):
    try:
        await telegram(request)
        tell({"number": number})
    except errors.RPCError as error:
        tell({"number": number, "error": error.message or type(error).__name__, "type": type(error).__name__})
    except (Exception, asyncio.CancelledError) as error:
        tell({"number": number, "error": f"{type(error).__name__}: {error}", "type": type(error).__name__})


def tell(what):
    print(json.dumps(what), flush=True)


asyncio.run(main())
