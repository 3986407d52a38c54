//! Labels and axes in text.

use std::sync::Arc;

use stook_core::{Error, Result};

use crate::axis::{Axis, AxisName};
use crate::label::Label;
use crate::labels::Labels;

/// More labels than a text can ask for: it may come from a file.
const MAX_LABELS: usize = 10_000_000;

/// The axis that `text` describes: `name=labels`, or labels alone.
///
/// # Errors
/// `InvalidInput` if the labels are not labels, `LimitExceeded` for a range without end.
pub fn parse_axis(text: &str) -> Result<Axis> {
    match text.split_once('=') {
        None => Ok(Axis::new(parse_labels(text)?, None::<AxisName>)),
        Some((_, labels)) if labels.contains('=') => {
            Err(Error::invalid("too many values to unpack (expected 2)"))
        }
        Some((name, labels)) => {
            let name = AxisName::Text(name.trim().into());
            Ok(Axis::new(parse_labels(labels)?, Some(name)))
        }
    }
}

/// The labels that `text` lists: split at commas, `..` counts. They are numbers if all are, text
/// if some are not.
///
/// # Errors
/// `InvalidInput` for a range that has no end or whose ends differ in kind, `LimitExceeded` for one
/// that is too long.
pub fn parse_labels(text: &str) -> Result<Labels> {
    // Commas at the ends separate nothing: they make a list of one.
    let parts: Vec<&str> = text.trim().trim_matches(',').split(',').map(str::trim).collect();
    if let [only] = *parts
        && let Some(Numbers { start, stop, step }) = numbers(only)?
    {
        check_len(u128::from(stop.abs_diff(start)) / u128::from(step.unsigned_abs()))?;
        let end = if step > 0 { stop.checked_add(1) } else { stop.checked_sub(1) };
        let end = end.ok_or_else(|| Error::limit(format!("range `{only}` is too long")))?;
        return Labels::range(start, end, step);
    }
    let mut labels = Vec::with_capacity(parts.len());
    for part in parts {
        push_part(part, &mut labels)?;
    }
    let is_mixed = labels.iter().any(|label| label.as_str().is_some())
        && labels.iter().any(|label| label.as_int().is_some());
    if is_mixed {
        return Ok(Labels::from_strings(labels.iter().map(Label::to_string)));
    }
    Ok(Labels::from_labels(labels))
}

/// One label of a text: a whole number if it reads like one, nothing if it is empty, else text.
pub(crate) fn parse_label(text: &str) -> Label {
    match text.trim() {
        "" => Label::None,
        text => parse_int(text).map_or_else(|| Label::Str(text.into()), Label::Int),
    }
}

/// A number as it would be written: no sign but minus, no zero in front.
pub(crate) fn parse_int(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    if is_plain { text.parse().ok() } else { None }
}

fn check_len(len: u128) -> Result<()> {
    if len > MAX_LABELS as u128 {
        return Err(Error::limit(format!(
            "a range of {len} labels is more than text may ask for ({MAX_LABELS})"
        )));
    }
    Ok(())
}

/// A range as it is written.
struct Written<'a> {
    start: &'a str,
    stop: &'a str,
    step: Option<i64>,
}

struct Numbers {
    start: i64,
    stop: i64,
    step: i64,
}

fn written(text: &str) -> Result<Option<Written<'_>>> {
    let Some((start, rest)) = text.split_once("..") else { return Ok(None) };
    let (stop, step) = match rest.split_once(" step ") {
        Some((stop, step)) => {
            let n: i64 = step.trim().parse().map_err(|_| bad_step())?;
            (stop, Some(n).filter(|&n| n > 0).ok_or_else(bad_step)?.into())
        }
        None => (rest, None),
    };
    let (start, stop) = (start.trim(), stop.trim());
    if stop.is_empty() || stop.starts_with('.') {
        return Err(Error::invalid(format!("no stop bound provided in range: '{text}'")));
    }
    Ok(Some(Written { start, stop, step }))
}

fn bad_step() -> Error {
    Error::invalid("step must be a positive integer or None")
}

/// The range of numbers that `text` is; they count down where the last is smaller.
fn numbers(text: &str) -> Result<Option<Numbers>> {
    let Some(Written { start, stop, step }) = written(text)? else { return Ok(None) };
    let start = if start.is_empty() { "0" } else { start };
    let (Some(start), Some(stop)) = (parse_int(start), parse_int(stop)) else { return Ok(None) };
    let step = step.unwrap_or(1);
    Ok(Some(Numbers { start, stop, step: if stop < start { -step } else { step } }))
}

fn push_part(part: &str, labels: &mut Vec<Label>) -> Result<()> {
    if let Some(Numbers { start, stop, step }) = numbers(part)? {
        check_len(u128::from(stop.abs_diff(start)) / u128::from(step.unsigned_abs()))?;
        let mut at = start;
        while if step > 0 { at <= stop } else { at >= stop } {
            labels.push(Label::Int(at));
            let Some(next) = at.checked_add(step) else { break };
            at = next;
        }
        return Ok(());
    }
    match written(part)? {
        Some(range) => generic(part, &range, labels),
        None => {
            labels.push(parse_label(part));
            Ok(())
        }
    }
}

/// A run of digits or a letter, and what it runs through.
enum Token<'a> {
    Digits(&'a str),
    Letter(char),
}

fn tokens(mut text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    while let Some(first) = text.chars().next() {
        let end = if first.is_ascii_digit() {
            text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())
        } else {
            first.len_utf8()
        };
        let (token, rest) = text.split_at(end);
        let is_number = first.is_ascii_digit();
        tokens.push(if is_number { Token::Digits(token) } else { Token::Letter(first) });
        text = rest;
    }
    tokens
}

/// Text from `range.start` to `range.stop`, each token running through its own range, the last
/// fastest.
fn generic(text: &str, range: &Written<'_>, labels: &mut Vec<Label>) -> Result<()> {
    let kinds =
        || Error::invalid(format!("range '{text}': expected ends of the same form, found others"));
    let (starts, stops) = (tokens(range.start), tokens(range.stop));
    if starts.is_empty() {
        return Err(kinds());
    }
    let mut columns: Vec<Vec<String>> = Vec::new();
    let mut n: u128 = 1;
    for (start, stop) in starts.iter().zip(&stops) {
        columns.push(match (start, stop) {
            (Token::Digits(start), Token::Digits(stop)) => digits(start, stop, n)?,
            (Token::Letter(start), Token::Letter(stop)) => letters(*start, *stop),
            _ => return Err(kinds()),
        });
        n = n.saturating_mul(columns.last().map_or(0, Vec::len) as u128);
        check_len(n)?;
    }
    let mut all = vec![String::new()];
    for column in &columns {
        all = all
            .iter()
            .flat_map(|head| column.iter().map(move |tail| head.clone() + tail))
            .collect();
    }
    let step = range.step.and_then(|step| usize::try_from(step).ok()).unwrap_or(1);
    labels.extend(all.into_iter().step_by(step).map(|text| Label::Str(Arc::from(text))));
    Ok(())
}

/// Numbers as wide as an end is that begins with a zero; `n_before` labels end in each of them.
fn digits(start: &str, stop: &str, n_before: u128) -> Result<Vec<String>> {
    let parse = |text: &str| {
        text.parse::<u64>().map_err(|_| Error::limit(format!("number `{text}` is too long")))
    };
    let (first, last) = (parse(start)?, parse(stop)?);
    check_len(n_before.saturating_mul(u128::from(first.abs_diff(last)) + 1))?;
    let width = |text: &str| if text.starts_with('0') { text.len() } else { 0 };
    let width = width(start).max(width(stop));
    let text = |n: u64| format!("{n:0width$}");
    Ok(if first <= last {
        (first..=last).map(text).collect()
    } else {
        (last..=first).rev().map(text).collect()
    })
}

/// The letters and digits between two characters; a character that is both ends, whatever it is.
fn letters(start: char, stop: char) -> Vec<String> {
    if start == stop {
        return vec![start.to_string()];
    }
    let through = |a: char, b: char| (a..=b).filter(|c| c.is_alphanumeric()).map(String::from);
    if start < stop {
        return through(start, stop).collect();
    }
    let mut down: Vec<String> = through(stop, start).collect();
    down.reverse();
    down
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<String> {
        parse_labels(text).unwrap().iter().map(|label| label.to_string()).collect()
    }

    #[test]
    fn text_lists_labels() {
        let lists: [(&str, &[&str]); 17] = [
            ("a0..a2", &["a0", "a1", "a2"]),
            ("a0..b1", &["a0", "a1", "b0", "b1"]),
            ("1..3,7", &["1", "2", "3", "7"]),
            ("2000..2010 step 5", &["2000", "2005", "2010"]),
            ("..3", &["0", "1", "2", "3"]),
            ("-1..1", &["-1", "0", "1"]),
            ("3..1", &["3", "2", "1"]),
            ("08..10", &["08", "09", "10"]),
            ("a9..a11", &["a9", "a10", "a11"]),
            ("a..c", &["a", "b", "c"]),
            ("a2..a0", &["a2", "a1", "a0"]),
            ("aZ..ba", &["aZ", "aa", "bZ", "ba"]),
            ("a1..a03", &["a01", "a02", "a03"]),
            ("a0..a4 step 2", &["a0", "a2", "a4"]),
            (" x , y ", &["x", "y"]),
            ("3", &["3"]),
            ("3,", &["3"]),
        ];
        for (text, expected) in lists {
            assert_eq!(labels(text), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_numbers_unless_some_label_is_not() {
        use crate::labels::LabelKind::{Int, Text};
        for (text, kind) in
            [("1..3", Int), ("1,2", Int), ("01..02", Text), ("1,b", Text), ("1.5,2", Text)]
        {
            assert_eq!(parse_labels(text).unwrap().kind(), kind, "{text}");
        }
    }

    #[test]
    fn ranges_without_end_or_sense_are_errors() {
        for text in ["a0..", "..", "a..3", "..a3", "0..3 step 0", "0..99999999999", "a=b=c"] {
            assert!(parse_axis(text).is_err(), "{text}");
        }
        let error = parse_axis("a=a0..").unwrap_err();
        assert_eq!(error.message(), "no stop bound provided in range: 'a0..'");
    }
}
