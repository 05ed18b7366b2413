// The person at the local Telegram's dashboard.

/** The dashboard in a window of its own. */
export class Dashboard {
    static async open(profile, server) {
        const page = await profile.open(server.dashboard);
        await page.getByRole("link", { name: "Overview" }).waitFor();
        return new Dashboard(page);
    }

    constructor(page) {
        this.page = page;
    }

    async to(name) {
        await this.page.getByRole("navigation").getByRole("link", { name }).click();
    }

    /** Opens what asks to log in to a site. */
    async review(domain) {
        await this.to("Logins");
        await this.page.getByRole("link", { name: `Review the login at ${domain}` }).click();
    }

    /** Says yes, as the first account, with what is to be ticked and the picture that the browser shows. */
    async approve(domain, { write = false, phone = false, picture } = {}) {
        await this.review(domain);
        if (picture !== undefined) {
            await this.page.getByRole("radio", { name: `: ${picture}` }).check();
        }
        if (write) {
            await this.page.getByLabel(/message me/).check();
        }
        if (phone) {
            await this.page.getByLabel(/phone number/).check();
        }
        await this.page.getByRole("button", { name: "Log in" }).click();
    }

    async decline(domain) {
        await this.review(domain);
        await this.page.getByRole("button", { name: "Decline" }).click();
    }
}
