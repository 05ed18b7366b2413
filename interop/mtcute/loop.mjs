// mtcute with its own defaults, making one call for each line that it is told: `NUMBER CALL`.

import { createInterface } from "node:readline";
import { client, run, signIn } from "./local.mjs";

run(async () => {
    const telegram = client({ network: { usePfs: process.argv[2] === "pfs" } });
    await telegram.connect();
    await signIn(telegram);
    const { authorizations } = await telegram.call({ _: "account.getWebAuthorizations" });
    const hashes = authorizations.map((row) => row.hash);
    const requests = {
        self: () => ({ _: "users.getUsers", id: [{ _: "inputUserSelf" }] }),
        list: () => ({ _: "account.getWebAuthorizations" }),
        reset: () => ({ _: "account.resetWebAuthorization", hash: hashes.pop() }),
    };
    tell({ ready: hashes.length });
    for await (const line of createInterface({ input: process.stdin })) {
        const [number, name] = line.split(" ");
        telegram.call(requests[name]()).then(
            () => tell({ number }),
            (error) => tell({ number, error: error.text ?? String(error), type: error?.constructor.name }),
        );
    }
});

function tell(what) {
    console.log(JSON.stringify(what));
}
