//! A login link as a QR code in the terminal, drawn over the last one when it is replaced.

use std::io::{self, IsTerminal as _};

use anstyle::{Ansi256Color, Style};
use chappe::QrStep;
use dialoguer::console::{Term, measure_text_width};
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use serde_json::json;

use crate::output::{Exit, Failure, Output, notice, paint};

/// Where the code is shown: standard error, like every question.
pub(crate) struct Screen {
    output: Output,
    /// Lines of the last drawing, to be drawn over.
    drawn: usize,
    shown: u32,
}

impl Screen {
    pub(crate) fn new(output: Output) -> Self {
        Self { output, drawn: 0, shown: 0 }
    }

    /// Shows a fresh code in the place of the last one.
    ///
    /// Fails when so many were shown that nobody seems to be there.
    pub(crate) fn show(&mut self, step: &QrStep) -> Result<(), Failure> {
        if self.shown == MOST {
            return Err(Failure::new(Exit::Other, "nobody scanned the code in ten minutes")
                .hint("start again with `chappe login --qr`"));
        }
        self.shown += 1;
        let (url, seconds) = (step.url(), step.time_left().as_secs());
        if self.output.is_json() {
            notice(&json!({ "qr": { "url": url, "expires_in": seconds } }).to_string());
            return Ok(());
        }
        let mut text = String::new();
        if self.shown == 1 {
            notice(
                "Scan this with Telegram on a device that is signed in: Settings > Devices > Link \
                 a device.\nThe code is replaced before it expires; Ctrl-C stops.",
            );
        }
        let terminal = io::stderr().is_terminal();
        if let Some(code) = terminal.then(|| draw(&url)).flatten() {
            text.push_str(&code);
        }
        text.push_str(&format!(
            "{url}\nWithout a camera: `chappe login --accept`, where the account is signed in."
        ));
        if terminal && self.drawn > 0 {
            // Errors of a terminal that goes away are nobody's business any more.
            let _ = Term::stderr().clear_last_lines(self.drawn);
        }
        notice(&text);
        self.drawn = text.lines().map(rows).sum();
        Ok(())
    }
}

/// The code in half blocks, black on white whatever the terminal's colours are; none if it does
/// not fit on the terminal.
fn draw(url: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(url, EcLevel::L).ok()?;
    let picture = code.render::<Dense1x2>().quiet_zone(true).build();
    let (height, width) = Term::stderr().size();
    let (lines, columns) = (picture.lines().count(), picture.lines().next()?.chars().count());
    if lines + BESIDE > usize::from(height) || columns > usize::from(width) {
        return None;
    }
    let style = Style::new().fg_color(Some(BLACK.into())).bg_color(Some(WHITE.into()));
    Some(picture.lines().map(|line| paint(style, line) + "\n").collect())
}

/// How many rows of the terminal a line takes.
fn rows(line: &str) -> usize {
    let columns = usize::from(Term::stderr().size().1).max(1);
    measure_text_width(line).div_ceil(columns).max(1)
}

/// Black and white that no theme changes.
const BLACK: Ansi256Color = Ansi256Color(16);
const WHITE: Ansi256Color = Ansi256Color(231);
/// Lines that have to fit on the screen beside the picture.
const BESIDE: usize = 4;
/// How many codes are shown; each lasts about half a minute.
const MOST: u32 = 20;
