//! What shells complete: the shells themselves, with the scripts that the command writes for them.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::programs::runs_here;
use crate::telegram::{chappe, stderr, stdout};
use crate::terminal::Terminal;

/// A home with two accounts, and the script for a shell.
fn home(shell: &str, script: &str) -> TempDir {
    let home = TempDir::new().unwrap();
    let accounts = home.path().join("data/chappe/telegram");
    fs::create_dir_all(&accounts).unwrap();
    fs::write(accounts.join("work.session"), "").unwrap();
    fs::write(accounts.join("home.session"), "").unwrap();
    let output = chappe(home.path()).args(["completions", shell]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    fs::create_dir_all(home.path().join("scripts")).unwrap();
    fs::write(home.path().join("scripts").join(script), output.stdout).unwrap();
    home
}

/// A shell that finds this command first.
fn shell(program: &str, home: &TempDir) -> Command {
    let command = chappe(home.path());
    let folder = Path::new(command.get_program()).parent().unwrap().to_owned();
    let places: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap()).collect();
    let path = env::join_paths([folder].into_iter().chain(places)).unwrap();
    let mut shell = Command::new(program);
    shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // What is typed is shown as it is, and no line drawn anew.
    shell.env("PATH", path).env("TERM", "dumb").current_dir(home.path());
    shell
}

/// Types lines with a Tab behind them, and waits for what they become.
fn typed(mut shell: Terminal, set_up: &str) {
    shell.say(set_up);
    shell.expect("ready> ");
    for (line, becomes) in [
        ("chappe whoa", "chappe whoami"),
        ("chappe call help.getNear", "help.getNearestDc"),
        ("chappe docs HASH_INV", "HASH_INVALID"),
        ("chappe --account w", "--account work"),
        ("chappe accounts use h", "use home"),
        ("chappe web list --inact", "--inactive-for"),
        // It may ring in between.
        ("chappe serve --data scr", "ipts"),
    ] {
        // The one Tab of each: that of the first line, too, is answered.
        shell.press(&format!("{line}\t"));
        shell.expect(becomes);
        // Ctrl-U takes the line away.
        shell.press("\u{15}");
    }
}

#[test]
fn zsh_completes_at_the_first_tab_with_the_script_in_its_path_of_functions() {
    if !runs_here("what zsh completes", "zsh", &["-c", "autoload -U compinit"]) {
        return;
    }
    let home = home("zsh", "_chappe");
    let mut zsh = shell("zsh", &home);
    zsh.args(["-f", "-i"]);
    let set_up = "unsetopt prompt_sp; fpath=(~/scripts $fpath); autoload -U compinit; \
                  compinit -u -D; PS1='rea''dy> '";
    typed(Terminal::start(zsh), set_up);
}

#[test]
fn bash_completes_what_it_is_told_of_by_a_script() {
    if !runs_here("what bash completes", "bash", &["-c", "type complete"]) {
        return;
    }
    let home = home("bash", "chappe");
    let mut bash = shell("bash", &home);
    bash.args(["--norc", "--noprofile", "-i"]);
    typed(Terminal::start(bash), "source ~/scripts/chappe; PS1='rea''dy> '");
}

#[test]
fn fish_completes_what_it_is_told_of_by_a_script() {
    if !runs_here("what fish completes", "fish", &["--no-config", "-c", "true"]) {
        return;
    }
    let home = home("fish", "chappe.fish");
    let lines = [
        ("chappe whoa", "whoami"),
        ("chappe call help.getNear", "help.getNearestDc"),
        ("chappe docs HASH_INV", "HASH_INVALID"),
        ("chappe docs --layer 22", "229"),
        ("chappe --account w", "work"),
        ("chappe --account=w", "--account=work"),
        ("chappe accounts use h", "home"),
        ("chappe accounts rename h", "home"),
        ("chappe web list --inact", "--inactive-for"),
        ("chappe serve --data scr", "scripts/"),
    ];
    let asked = lines.map(|(line, _)| format!("complete -C '{line}'; echo ==="));
    let program = format!("source ~/scripts/chappe.fish; {}", asked.join("; "));
    let output = shell("fish", &home).args(["--no-config", "-c", &program]).output().unwrap();
    let shown = stdout(&output);
    let answers: Vec<&str> = shown.split("===\n").collect();
    assert_eq!(answers.len(), lines.len() + 1, "{shown} {}", stderr(&output));
    for ((line, wanted), answer) in lines.into_iter().zip(answers) {
        let words: Vec<&str> = answer.lines().filter_map(|it| it.split('\t').next()).collect();
        assert!(words.contains(&wanted), "{line}: {answer} {}", stderr(&output));
    }
}
