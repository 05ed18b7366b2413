//! The example site as a program: `chappe-site --bot USERNAME`, with the bot token in the
//! environment.

use std::{io::Write as _, net::SocketAddr, process::ExitCode};

use chappe_login::{
    BotToken,
    oidc::{Alg, ClientSecret},
};
use chappe_site::{OpenId, Site};
use clap::Parser;

/// An example site that people log in to with Telegram.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The bot's token of BotFather; by the environment only, where no list of processes shows it.
    #[arg(skip = std::env::var("TELEGRAM_BOT_TOKEN").ok())]
    token: Option<String>,
    /// The client secret of BotFather's Web Login; by the environment only.
    #[arg(skip = std::env::var("TELEGRAM_CLIENT_SECRET").ok())]
    client_secret: Option<String>,
    /// The bot's username.
    #[arg(long, env = "TELEGRAM_BOT_USERNAME", value_name = "USERNAME")]
    bot: String,
    /// The client id of BotFather's Web Login; without it only the Login Widget is offered.
    #[arg(long, env = "TELEGRAM_CLIENT_ID", value_name = "ID")]
    client_id: Option<String>,
    /// The algorithm that was chosen there: RS256, ES256, EdDSA or ES256K.
    #[arg(long, default_value = "RS256", value_parser = alg)]
    alg: Alg,
    /// Where the web pages of a local Telegram are; the real one without this.
    #[arg(long, value_name = "URL")]
    telegram: Option<String>,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What browsers call the site; `http://localhost:PORT` without this.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

fn alg(name: &str) -> Result<Alg, String> {
    Alg::from_name(name).ok_or_else(|| "use RS256, ES256, EdDSA or ES256K".to_owned())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let token = args.token.ok_or("put the bot's token into TELEGRAM_BOT_TOKEN")?;
    let mut site = Site::new(BotToken::new(token)?, args.bot);
    if let Some(client_id) = args.client_id {
        let secret = args.client_secret.ok_or("put the secret into TELEGRAM_CLIENT_SECRET")?;
        let client_secret = ClientSecret::new(secret)?;
        site = site.openid(OpenId { client_id, client_secret, alg: args.alg });
    }
    if let Some(telegram) = args.telegram {
        site = site.telegram(telegram);
    }
    let listener = chappe_site::bind(args.listen).await.map_err(|error| {
        format!("cannot listen on {}: {error}; --listen 127.0.0.1:0 picks a free port", args.listen)
    })?;
    let url = match args.url {
        Some(url) => url,
        None => format!("http://localhost:{}", listener.local_addr()?.port()),
    };
    writeln!(std::io::stdout(), "{url}")?;
    site.url(url).serve(listener, async { _ = tokio::signal::ctrl_c().await }).await?;
    Ok(())
}
