// mtcute with its own defaults, making one call for each line that it is told: `NUMBER CALL`.

import { client, run, signIn } from "./local.mjs";
import program from "../program.js";

const REQUESTS = {
    self: { _: "users.getUsers", id: [{ _: "inputUserSelf" }] },
    list: { _: "account.getWebAuthorizations" },
    reset: { _: "account.resetWebAuthorizations" },
};

run(async () => {
    const telegram = client({});
    await telegram.connect();
    await signIn(telegram);
    await program.obey(
        (name) => telegram.call(REQUESTS[name]),
        (error) => `${error?.constructor?.name} ${error?.text ?? error}`,
    );
});
