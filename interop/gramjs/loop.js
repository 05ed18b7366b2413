// GramJS with its own defaults, making one call for each line that it is told: `NUMBER CALL`.
"use strict";

const { createInterface } = require("node:readline");
const { Api, connect, run, signIn } = require("./local");

run(async () => {
    const client = await connect({});
    await signIn(client);
    const { authorizations } = await client.invoke(new Api.account.GetWebAuthorizations());
    const hashes = authorizations.map((row) => row.hash);
    const requests = {
        self: () => new Api.users.GetUsers({ id: [new Api.InputUserSelf()] }),
        list: () => new Api.account.GetWebAuthorizations(),
        reset: () => new Api.account.ResetWebAuthorization({ hash: hashes.pop() }),
    };
    tell({ ready: hashes.length });
    for await (const line of createInterface({ input: process.stdin })) {
        const [number, name] = line.split(" ");
        client.invoke(requests[name]()).then(
            () => tell({ number }),
            (error) => tell({ number, error: error.errorMessage ?? String(error), type: error?.constructor.name }),
        );
    }
});

function tell(what) {
    console.log(JSON.stringify(what));
}
