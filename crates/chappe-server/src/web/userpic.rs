//! `GET /i/userpic/320/{name}.svg`: pictures of people and bots, as their names say.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use base64ct::{Base64UrlUnpadded, Encoding};
use maud::html;

use super::{guard::RESOURCE_POLICY, pages::Problem};
use crate::world::{COLOURS, Userpic};

/// The most bytes of initials.
const MAX_INITIALS: usize = 24;

/// The colours: a lighter one above, a darker one below.
const PAINT: [(&str, &str); COLOURS as usize] = [
    ("#ff885e", "#d9483b"),
    ("#f9b84d", "#c9761a"),
    ("#a684f5", "#7554d0"),
    ("#7fce6b", "#3d963f"),
    ("#58c9c9", "#24868c"),
    ("#5aa8ea", "#1c6fb8"),
    ("#f58bac", "#c8487a"),
];

/// Serves one, to the pages of other servers, too.
pub(crate) async fn serve(Path(name): Path<String>) -> Result<Response, Problem> {
    let userpic = read(&name).ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "There is no such picture",
            "Take the address as it was given.",
        )
    })?;
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "public, max-age=86400, immutable"),
        (RESOURCE_POLICY, "cross-origin"),
    ];
    Ok((headers, draw(&userpic)).into_response())
}

/// Reads the name of a picture.
fn read(name: &str) -> Option<Userpic> {
    let name = name.strip_suffix(".svg")?;
    let (colour, initials) = name.split_at_checked(1)?;
    let colour = colour.parse().ok().filter(|colour| *colour < COLOURS)?;
    let initials = Base64UrlUnpadded::decode_vec(initials).ok()?;
    let initials = String::from_utf8(initials).ok()?;
    let fits = initials.len() <= MAX_INITIALS && !initials.chars().any(char::is_control);
    fits.then_some(Userpic { colour, initials })
}

fn draw(userpic: &Userpic) -> String {
    let (light, dark) = PAINT.get(usize::from(userpic.colour)).copied().unwrap_or_default();
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width="320" height="320" viewBox="0 0 320 320" {
            defs {
                linearGradient id="g" x1="0" y1="0" x2="0" y2="1" {
                    stop offset="0" stop-color=(light) {}
                    stop offset="1" stop-color=(dark) {}
                }
            }
            rect width="320" height="320" fill="url(#g)" {}
            text x="160" y="160" dy=".35em" text-anchor="middle" font-family="system-ui, sans-serif"
                font-size="132" font-weight="600" fill="#fff" { (userpic.initials) }
        }
    }
    .into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_is_drawn_and_nothing_breaks_out_of_it() {
        let hostile = Userpic { colour: 6, initials: "<&".to_owned() };
        let name = hostile.path().rsplit_once('/').unwrap().1.to_owned();
        assert_eq!(read(&name), Some(hostile.clone()));
        let drawn = draw(&hostile);
        assert!(drawn.contains(">&lt;&amp;</text>") && drawn.contains(PAINT[6].0), "{drawn}");
        // A picture is XML: everything in it is closed.
        assert_eq!(drawn.matches("<stop").count(), drawn.matches("</stop>").count(), "{drawn}");
    }

    #[test]
    fn other_names_are_refused() {
        let long = format!("1{}.svg", Base64UrlUnpadded::encode_string(&[b'A'; 25]));
        for name in ["", ".svg", "7QQ.svg", "1QQ", "1Q.svg", "1_w.svg", "1Cg.svg", "ä.svg", &long]
        {
            assert_eq!(read(name), None, "{name}");
        }
        assert_eq!(read("0.svg").unwrap().initials, "");
    }
}
