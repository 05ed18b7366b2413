//! Expressions as rustfmt lays them out by default.

/// The widest line.
const MAX_WIDTH: usize = 100;

/// The widest body of a struct, list of arguments or items, and chain that stays on its line.
const STRUCT_WIDTH: usize = 18;
const CALL_WIDTH: usize = 60;
const VEC_WIDTH: usize = 60;
const CHAIN_WIDTH: usize = 60;

/// The widest item of a list whose items share lines.
const SHORT_ITEM: usize = 10;

/// Columns of one step of indentation.
const STEP: usize = 4;

/// An expression.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// `f(a, b)`.
    Call { callee: String, arguments: Vec<Self> },
    /// `a.b().c()`.
    Chain(Box<Self>, Vec<&'static str>),
    /// `Path { field: a, ..rest }`.
    Struct { path: String, fields: Vec<(String, Self)>, rest: Option<Box<Self>> },
    /// `vec![a, b]`.
    Vec(Vec<Self>),
    /// What has no parts: a literal, a path.
    Word(String),
}

impl Shape {
    pub(crate) fn word(text: &str) -> Self {
        Self::Word(text.to_owned())
    }

    pub(crate) fn call(callee: &str, argument: Self) -> Self {
        Self::Call { callee: callee.to_owned(), arguments: vec![argument] }
    }

    /// Prints it: the first line begins at column `begins`, the others are indented by `indent`
    /// columns, `ends` columns are taken behind the last one.
    pub(crate) fn print(&self, indent: usize, begins: usize, ends: usize) -> String {
        self.within(indent, begins, MAX_WIDTH.saturating_sub(ends))
    }

    /// Prints it behind `head`, the beginning of a statement at column `indent`: on the next line
    /// if it is one line there and several behind the head.
    pub(crate) fn print_behind(&self, head: &str, indent: usize, ends: usize) -> String {
        let behind = self.print(indent, indent + width(head) + 1, ends);
        let next = indent + STEP;
        let line = self.line().filter(|line| next + width(line) + ends <= MAX_WIDTH);
        match line.filter(|_| behind.contains('\n')) {
            Some(line) => format!("{head}\n{}{line}", " ".repeat(next)),
            None => format!("{head} {behind}"),
        }
    }

    /// Prints it so that the first line ends before the column `edge`.
    fn within(&self, indent: usize, begins: usize, edge: usize) -> String {
        let line = self.line().filter(|line| begins + width(line) <= edge);
        line.unwrap_or_else(|| self.broken(indent, begins, edge))
    }

    /// Prints it on several lines, if it has parts.
    fn broken(&self, indent: usize, begins: usize, edge: usize) -> String {
        let inner = indent + STEP;
        let margin = " ".repeat(inner);
        let close = " ".repeat(indent);
        let below = |item: &Self, begins: usize| item.print(inner, begins, 1);
        match self {
            Self::Word(word) => word.clone(),
            Self::Call { callee, arguments } => {
                if let [only] = &arguments[..]
                    && let Some(hugged) = only.hugged(indent, begins + width(callee) + 1, edge)
                {
                    return format!("{callee}({hugged})");
                }
                if let Some(words) = short(arguments) {
                    return format!("{callee}(\n{}{close})", filled(&words, inner));
                }
                let lines = arguments.iter().map(|it| format!("{margin}{},\n", below(it, inner)));
                format!("{callee}(\n{}{close})", lines.collect::<String>())
            }
            Self::Chain(head, calls) => {
                let head = head.within(indent, begins, edge);
                // Behind several lines the calls go on below the last one, not indented.
                let margin = if head.contains('\n') { close } else { margin };
                let calls = calls.iter().map(|call| format!("\n{margin}{call}"));
                head + &calls.collect::<String>()
            }
            Self::Struct { path, fields, rest } => {
                let mut text = format!("{path} {{\n");
                for (name, value) in fields {
                    let begins = inner + width(name) + 2;
                    let behind = below(value, begins);
                    let first = behind.lines().next().unwrap_or_default();
                    if begins + width(first) <= MAX_WIDTH {
                        text.push_str(&format!("{margin}{name}: {behind},\n"));
                        continue;
                    }
                    let (next, deeper) = (inner + STEP, " ".repeat(inner + STEP));
                    let value = value.print(next, next, 1);
                    text.push_str(&format!("{margin}{name}:\n{deeper}{value},\n"));
                }
                if let Some(rest) = rest {
                    text.push_str(&format!("{margin}..{}\n", rest.print(inner, inner + 2, 0)));
                }
                text + &close + "}"
            }
            Self::Vec(items) => {
                if let [only] = &items[..]
                    && let Some(hugged) = only.hugged(indent, begins + 5, edge)
                {
                    return format!("vec![{hugged}]");
                }
                if let Some(words) = short(items) {
                    return format!("vec![\n{}{close}]", filled(&words, inner));
                }
                let lines = items.iter().map(|it| format!("{margin}{},\n", below(it, inner)));
                format!("vec![\n{}{close}]", lines.collect::<String>())
            }
        }
    }

    /// Prints it on several lines that begin and end at the brackets around it, if it may. A call
    /// inside of a call gets less room, so that not too many of them begin on one line.
    fn hugged(&self, indent: usize, begins: usize, edge: usize) -> Option<String> {
        let edge = match self {
            Self::Word(_) | Self::Chain(..) => return None,
            Self::Struct { .. } => edge,
            Self::Call { .. } | Self::Vec(_) => edge.min(begins + CALL_WIDTH),
        };
        let text = self.broken(indent, begins, edge);
        let first = text.lines().next().unwrap_or_default();
        (begins + width(first) <= edge).then_some(text)
    }

    /// It on one line, if it is short enough for that wherever it stands.
    fn line(&self) -> Option<String> {
        let list = |items: &[Self], most: usize| {
            let items: Option<Vec<String>> = items.iter().map(Self::line).collect();
            items.map(|items| items.join(", ")).filter(|list| width(list) <= most)
        };
        match self {
            Self::Word(word) => Some(word.clone()),
            Self::Call { callee, arguments } => {
                // One argument that has no brackets may be as long as there is room.
                let most = match &arguments[..] {
                    [Self::Word(_) | Self::Chain(..)] => MAX_WIDTH,
                    _ => CALL_WIDTH,
                };
                Some(format!("{callee}({})", list(arguments, most)?))
            }
            Self::Chain(head, calls) => {
                let line = head.line()? + &calls.concat();
                Some(line).filter(|line| calls.len() == 1 || width(line) <= CHAIN_WIDTH)
            }
            Self::Struct { path, fields, rest } => {
                let mut parts = Vec::new();
                for (name, value) in fields {
                    parts.push(format!("{name}: {}", value.line()?));
                }
                if let Some(rest) = rest {
                    parts.push(format!("..{}", rest.line()?));
                }
                let body = parts.join(", ");
                Some(format!("{path} {{ {body} }}")).filter(|_| width(&body) <= STRUCT_WIDTH)
            }
            Self::Vec(items) => Some(format!("vec![{}]", list(items, VEC_WIDTH)?)),
        }
    }
}

/// The items as words, if all of them are short enough to share lines.
fn short(items: &[Shape]) -> Option<Vec<String>> {
    let words = items.iter().map(|item| match item {
        Shape::Word(word) if width(word) <= SHORT_ITEM => Some(word.clone()),
        _ => None,
    });
    words.collect()
}

/// Items that share lines.
fn filled(words: &[String], indent: usize) -> String {
    let margin = " ".repeat(indent);
    let mut text = String::new();
    let mut line = String::new();
    for word in words {
        if !line.is_empty() && indent + width(&line) + 1 + width(word) + 1 > MAX_WIDTH {
            text.push_str(&format!("{margin}{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        line.push(',');
    }
    text + &format!("{margin}{line}\n")
}

/// The columns of a text: those of East Asia and pictures take two.
pub(crate) fn width(text: &str) -> usize {
    let columns = |letter: char| match letter {
        '\u{fe0f}' | '\u{200d}' => 0,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{ffe6}' | '\u{1f300}'.. => 2,
        _ => 1,
    };
    text.chars().map(columns).sum()
}
