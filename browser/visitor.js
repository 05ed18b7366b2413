// A browser that shows nothing: it follows links, keeps cookies, and stops where it is told to.

const LIMIT = 30_000;
const STEPS = 20;

export class Visitor {
    #cookies = new Map();

    /** One request: redirections are not followed. */
    async ask(url, { form, ...options } = {}) {
        const { host, origin } = new URL(url);
        const jar = this.#cookies.get(host) ?? new Map();
        this.#cookies.set(host, jar);
        const answer = await fetch(url, {
            redirect: "manual",
            signal: AbortSignal.timeout(LIMIT),
            ...(form && { method: "POST", body: new URLSearchParams(form) }),
            ...options,
            headers: {
                "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
                cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; "),
                ...(form && { origin }),
                ...options.headers,
            },
        });
        for (const line of answer.headers.getSetCookie()) {
            const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
            jar.set(name, value);
        }
        const location = answer.headers.get("location");
        return { status: answer.status, html: await answer.text(), headers: answer.headers, to: location && new URL(location, url) };
    }

    /** Follows redirections to the first page, or to the first address that `stop` says yes to: that is not asked for. */
    async follow(url, stop = () => false) {
        for (let step = 0; step < STEPS; step += 1) {
            if (stop(new URL(url))) {
                return { to: new URL(url) };
            }
            const answer = await this.ask(url);
            if (answer.to === null) {
                return answer;
            }
            url = answer.to;
        }
        throw new Error(`${STEPS} redirections, the last one to ${url}`);
    }
}
