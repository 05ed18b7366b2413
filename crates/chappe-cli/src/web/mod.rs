//! `chappe web`: the sites that the account is logged in to with Telegram.

mod reset;
pub(crate) mod view;
mod watch;

use std::cell::Cell;
use std::time::SystemTime;

use chappe::WebSession;
use serde_json::json;

pub(crate) use self::reset::told;
use crate::approve::approve;
use crate::args::{Global, ListWeb, Site, Web, WebFilter, Whose};
use crate::connect::Target;
use crate::errors::failure;
use crate::interrupt::{unless_interrupted, unless_interrupted_at};
use crate::output::{Exit, Failure, Output, notice, printable};
use crate::prompt;

/// `chappe web ...`.
pub(crate) async fn web(global: &Global, command: Web, output: Output) -> Result<(), Failure> {
    let target = Target::new(global)?;
    let only_asked = "nothing was changed";
    match command {
        Web::Approve(options) => {
            let after = "the login may have been answered: look with `chappe web list`";
            let begun = Cell::new(false);
            let work = approve(&target, &options, global.yes, &begun, output);
            unless_interrupted_at(work, || if begun.get() { after } else { only_asked }).await
        }
        Web::List(options) => unless_interrupted(list(&target, &options, output), only_asked).await,
        Web::Show { site } => unless_interrupted(show(&target, &site, output), only_asked).await,
        Web::Reset(options) => {
            let after = "what was asked for may have happened: look with `chappe web list`";
            let begun = Cell::new(false);
            let work = reset::reset(&target, &options, global.yes, &begun, output);
            unless_interrupted_at(work, || if begun.get() { after } else { only_asked }).await
        }
        Web::Watch(options) => {
            unless_interrupted(watch::watch(&target, &options, output), only_asked).await
        }
    }
}

async fn list(target: &Target, options: &ListWeb, output: Output) -> Result<(), Failure> {
    if options.csv && output.is_json() {
        return Err(Failure::usage("--csv and --json are both given; leave one out"));
    }
    let mut sites = listed(target).await?;
    let all = sites.len();
    let now = SystemTime::now();
    sites.retain(|site| fits(&options.filter, site, now));
    if options.csv {
        return output.line(&view::csv(&sites));
    }
    let value = json!({ "web_authorizations": view::rows_json(&sites) });
    output.answer(&value, || match (sites.len(), all) {
        (0, 1..) => format!("none of {} fits", view::count(all)),
        _ => view::table(&sites, output),
    })
}

async fn show(target: &Target, site: &Site, output: Output) -> Result<(), Failure> {
    let sites = listed(target).await?;
    let mut named = find(&sites, site)?;
    if named.len() > 1 {
        named = vec![which(site, named).await?];
    }
    let Some(site) = named.first() else { return Ok(()) };
    let value = json!({ "web_authorization": view::row_json(site) });
    output.answer(&value, || view::details(site))
}

async fn listed(target: &Target) -> Result<Vec<WebSession>, Failure> {
    let client = target.resume().await?;
    let sites = client.web_sessions().await.map_err(failure)?;
    client.close().await.map_err(failure)?;
    Ok(sites)
}

/// Asks which of several sessions at one domain is meant.
async fn which<'a>(domain: &Site, sites: Vec<&'a WebSession>) -> Result<&'a WebSession, Failure> {
    let Site::Domain(domain) = domain else {
        return Err(Failure::new(Exit::Other, "Telegram gave one hash to two sessions"));
    };
    let hashes: Vec<_> = sites.iter().map(|site| site.hash().to_string()).collect();
    if prompt::is_possible() {
        for (number, site) in sites.iter().enumerate() {
            notice(&format!("{:>3}  {}", number + 1, view::line(site)));
        }
        let question = format!("Which one, 1 to {}", sites.len());
        let answer = prompt::line(&question, "a hash").await?;
        let number = answer.trim().parse::<usize>().unwrap_or_default();
        let chosen = number.checked_sub(1).and_then(|at| sites.get(at));
        return chosen.copied().ok_or_else(|| {
            Failure::usage(format!("`{}` is none of the numbers", answer.trim()))
                .hint("nothing was done; begin again, or name a hash")
        });
    }
    Err(Failure::usage(format!("{} are at {domain}", view::count(sites.len())))
        .hint(format!("name one by its hash: {}", hashes.join(", "))))
}

/// The sessions that a word on the command line names: at least one.
pub(crate) fn find<'a>(
    sites: &'a [WebSession],
    site: &Site,
) -> Result<Vec<&'a WebSession>, Failure> {
    let named: Vec<_> = sites
        .iter()
        .filter(|row| match site {
            Site::Domain(domain) => row.is_at(domain),
            Site::Hash(hash) => row.hash() == *hash,
        })
        .collect();
    if !named.is_empty() {
        return Ok(named);
    }
    let (what, near) = match site {
        Site::Domain(domain) => {
            (format!("no web session is at {domain}"), nearest_domain(sites, domain))
        }
        Site::Hash(hash) => (
            format!("no web session has the hash {hash}"),
            nearest(sites.iter().map(WebSession::hash), *hash).map(|near| near.to_string()),
        ),
    };
    Err(Failure::new(Exit::NotFound, what).hint(match near {
        Some(near) => format!("did you mean {near}?"),
        None => "`chappe web list` prints hashes and domains".to_owned(),
    }))
}

/// The hash that a person most likely meant, if one is near enough.
pub(crate) fn nearest(hashes: impl Iterator<Item = i64>, typed: i64) -> Option<i64> {
    let typed = typed.to_string();
    let near =
        hashes.map(|hash| (strsim::damerau_levenshtein(&hash.to_string(), &typed), hash)).min()?;
    (near.0 <= 3.min(typed.len() / 2)).then_some(near.1)
}

/// The domain that a person most likely meant: the one that begins so, or looks like it.
fn nearest_domain(sites: &[WebSession], typed: &str) -> Option<String> {
    let typed = typed.to_lowercase();
    let domains = || sites.iter().map(|site| site.domain().to_lowercase());
    let part = domains().find(|domain| domain.split('.').any(|label| label == typed));
    let near = || {
        let near = domains().map(|domain| (strsim::damerau_levenshtein(&domain, &typed), domain));
        near.min().filter(|(steps, _)| *steps <= 3.min(typed.len() / 2)).map(|(_, domain)| domain)
    };
    part.or_else(near).map(|domain| printable(&domain))
}

/// Whether a session is among those that the filters mean.
fn fits(filter: &WebFilter, site: &WebSession, now: SystemTime) -> bool {
    is_theirs(&filter.whose, site)
        && filter.inactive_for.is_none_or(|span| site.idle(now) >= span)
        && filter.older_than.is_none_or(|span| site.age(now) >= span)
}

fn is_theirs(whose: &Whose, site: &WebSession) -> bool {
    whose.bot.as_ref().is_none_or(|bot| site.is_of_bot(bot))
        && whose.domain.as_ref().is_none_or(|pattern| is_like(pattern, site.domain()))
}

/// Whether a text is like a pattern, in which `*` stands for anything. Case is of no matter.
fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_hash_finds_its_neighbour() {
        let hashes = [4_457_235, -81_985_529_216_486_895, 7];
        assert_eq!(nearest(hashes.into_iter(), 4_457_253), Some(4_457_235));
        assert_eq!(nearest(hashes.into_iter(), 81_985_529_216_486_895), Some(hashes[1]));
        assert_eq!(nearest(hashes.into_iter(), 999_999_999_999), None);
        assert_eq!(nearest([].into_iter(), 1), None);
    }

    #[test]
    fn a_pattern_means_the_whole_domain() {
        for (pattern, text) in [
            ("shop.example.net", "Shop.example.NET"),
            ("*.example.net", "a.b.example.net"),
            ("*", ""),
            ("*shop*", "the-shop.example"),
            ("a*b*c", "a-b-b-c"),
            ("**.net", "x.net"),
        ] {
            assert!(is_like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("example.net", "shop.example.net"),
            ("shop", "shop.example.net"),
            ("*.example.net", "example.net"),
            ("*.example.net", "x.example.net.evil.test"),
            ("a*a", "a"),
            ("", "a"),
        ] {
            assert!(!is_like(pattern, text), "{pattern} {text}");
        }
    }
}
