// GramJS with its own defaults, making one call for each line that it is told: `NUMBER CALL`.
"use strict";

const { Api, connect, run, signIn } = require("./local");
const { obey } = require("../program");

const REQUESTS = {
    self: () => new Api.users.GetUsers({ id: [new Api.InputUserSelf()] }),
    list: () => new Api.account.GetWebAuthorizations(),
    reset: () => new Api.account.ResetWebAuthorizations(),
};

run(async () => {
    const client = await connect({});
    await signIn(client);
    await obey(
        (name) => client.invoke(REQUESTS[name]()),
        (error) => `${error?.constructor?.name} ${error?.errorMessage ?? error}`,
    );
});
