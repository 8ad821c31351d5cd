//! Carets under the wrong part of a text.

use std::ops::Range;

/// The widest line, in columns; of a longer text, only the surroundings of the wrong part are shown.
const MAX_WIDTH: usize = 90;

/// Returns two lines: the text, and carets under the bytes of `span`. They begin with a line feed.
pub(crate) fn carets(text: &str, span: Range<usize>) -> String {
    let start = text.floor_char_boundary(span.start);
    let end = text.floor_char_boundary(span.end).max(start);
    let (before, wrong, after) = (&text[..start], &text[start..end], &text[end..]);
    let (before, after) = if columns(text) > MAX_WIDTH {
        let room = MAX_WIDTH.saturating_sub(columns(wrong)) / 2;
        (last_columns(before, room), first_columns(after, room))
    } else {
        (before.to_owned(), after.to_owned())
    };
    let line: String = [before.as_str(), wrong, after.as_str()]
        .concat()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    // An empty part (something is missing) still gets one caret.
    let (indent, width) = (columns(&before), columns(wrong).max(1));
    format!("\n  {line}\n  {}{}", " ".repeat(indent), "^".repeat(width))
}

fn columns(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// Returns the approximate width of a character in a terminal: wide for East Asian scripts and pictures, zero for
/// combining characters.
fn width(c: char) -> usize {
    match c {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

fn last_columns(text: &str, room: usize) -> String {
    let mut kept = 0;
    let fits = |c: &char| {
        kept += width(*c);
        kept <= room
    };
    let chars: Vec<char> = text.chars().rev().take_while(fits).collect();
    let tail: String = chars.into_iter().rev().collect();
    if tail.len() < text.len() {
        format!("…{tail}")
    } else {
        tail
    }
}

fn first_columns(text: &str, room: usize) -> String {
    let mut kept = 0;
    let fits = |c: &char| {
        kept += width(*c);
        kept <= room
    };
    let head: String = text.chars().take_while(fits).collect();
    if head.len() < text.len() {
        format!("{head}…")
    } else {
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carets_stand_under_columns_and_not_bytes() {
        assert_eq!(carets("ä x", 3..4), "\n  ä x\n    ^");
        assert_eq!(carets("", 0..0), "\n  \n  ^");
        assert_eq!(carets("月 x", 4..5), "\n  月 x\n     ^");
        assert_eq!(carets("o\u{308} x", 4..5), "\n  o\u{308} x\n    ^");
        // Bounds inside a character or after the text do not panic.
        assert_eq!(carets("ä", 1..9), "\n  ä\n  ^");
    }

    #[test]
    fn of_a_long_text_the_surroundings_are_shown() {
        let text = format!("{}X{}", "a".repeat(200), "b".repeat(200));
        let drawn = carets(&text, 200..201);
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines[1].chars().nth(lines[2].len() - 1), Some('X'));
        assert!(lines[1].chars().count() < 100, "{drawn}");
        assert!(lines[1].starts_with("  …a") && lines[1].ends_with("b…"));
    }
}
