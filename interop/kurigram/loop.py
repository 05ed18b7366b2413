"""kurigram with its own defaults, making one call for each line that it is told: `NUMBER CALL`."""

import asyncio
import json
import logging
import sys

from pyrogram import errors, raw
from pyrogram.session import Session

from local import client, server

logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")

REQUESTS = {
    "self": lambda: raw.functions.users.GetUsers(id=[raw.types.InputUserSelf()]),
    "list": raw.functions.account.GetWebAuthorizations,
    "reset": raw.functions.account.ResetWebAuthorizations,
}


async def main():
    telegram = client(sleep_threshold=Session.SLEEP_THRESHOLD)
    await telegram.connect()
    account = server["accounts"][0]
    sent = await telegram.send_code(account["phone"])
    await telegram.sign_in(account["phone"], sent.phone_code_hash, account["code"])
    tell({"number": "0"})
    running = set()
    while line := await asyncio.to_thread(sys.stdin.readline):
        number, name = line.split()
        running.add(asyncio.create_task(call(telegram, number, REQUESTS[name]())))
    await telegram.disconnect()


async def call(telegram, number, request):
    try:
        await telegram.invoke(request)
        tell({"number": number})
    except errors.RPCError as error:
        tell({"number": number, "error": type(error).__name__})
    except (Exception, asyncio.CancelledError) as error:
        tell({"number": number, "error": f"{type(error).__name__} {error}"})


def tell(what):
    print(json.dumps(what), flush=True)


asyncio.run(main())
