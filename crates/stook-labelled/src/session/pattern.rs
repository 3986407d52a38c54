//! Patterns of the shell for names.

/// Whether `name` matches `pattern`: `*` is any text, `?` any character, `[abc]`, `[a-z]` one of
/// these, `[!abc]` one that is none of these. Upper and lower case differ.
#[must_use]
pub fn matches_pattern(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on if the last `*` takes one more character.
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                retry = Some((p, n));
                continue;
            }
            Some(_) => {
                if let Some(next) = one(&pattern, p, name[n]) {
                    (p, n) = (next, n + 1);
                    continue;
                }
            }
            None => {}
        }
        match retry {
            Some((after, from)) => {
                retry = Some((after, from + 1));
                (p, n) = (after, from + 1);
            }
            None => return false,
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|&c| c == '*'))
}

/// Where the pattern goes on behind what stands at `at` for one character, if that is `c`.
fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    let first = *pattern.get(at)?;
    if first == '?' {
        return Some(at + 1);
    }
    let set = (first == '[').then(|| set_at(pattern, at + 1)).flatten();
    let Some((is_negated, members, end)) = set else {
        return (first == c).then_some(at + 1);
    };
    let mut found = false;
    let mut rest = members;
    while let Some((&low, tail)) = rest.split_first() {
        rest = match tail {
            ['-', high, tail @ ..] => {
                found |= (low..=*high).contains(&c);
                tail
            }
            _ => {
                found |= low == c;
                tail
            }
        };
    }
    (found != is_negated).then_some(end)
}

/// Whether the set that begins at `at` is negated, its members, and where it ends.
fn set_at(pattern: &[char], at: usize) -> Option<(bool, &[char], usize)> {
    let is_negated = pattern.get(at) == Some(&'!');
    let start = at + usize::from(is_negated);
    // A bracket that comes first is a member.
    let len = pattern.get(start + 1..)?.iter().position(|&c| c == ']')? + 1;
    Some((is_negated, pattern.get(start..start + len)?, start + len + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_the_shell() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("a*", "abc", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("?b", "ab", true),
            ("A", "a", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[", "[", true),
            ("a", "ab", false),
            ("*a*", "bab", true),
        ] {
            assert_eq!(matches_pattern(pattern, name), expected, "{pattern} {name}");
        }
    }
}
