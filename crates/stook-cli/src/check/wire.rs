//! What a worker tells, a line of JSON each.

use serde_json::{Value, json};
use stook::check::{CheckReport, Finding, Severity};
use stook::{ErrorKind, NodePath};

/// Something that a worker tells.
#[derive(Debug, PartialEq)]
pub(super) enum Message {
    /// It begins with a node.
    Node(NodePath),
    /// So many bytes of so many.
    Bytes(u64, u64),
    /// Something is wrong.
    Finding(Finding),
    /// It is done.
    Done(CheckReport),
}

impl Message {
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Node(node) => json!({ "node": node.as_str() }),
            Self::Bytes(done, total) => json!({ "done": done, "total": total }),
            Self::Finding(finding) => json!({ "finding": finding_json(finding) }),
            Self::Done(report) => json!({ "report": [
                report.n_groups,
                report.n_arrays,
                report.n_links,
                report.n_attributes,
                report.n_chunks,
                report.len_bytes,
            ] }),
        }
    }

    /// `None` for what is no message: a worker whose memory was overwritten may say anything.
    pub(super) fn from_json(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        if let Some(node) = value.get("node") {
            return Some(Self::Node(NodePath::parse(node.as_str()?).ok()?));
        }
        if let Some(done) = value.get("done") {
            return Some(Self::Bytes(done.as_u64()?, value.get("total")?.as_u64()?));
        }
        if let Some(finding) = value.get("finding") {
            return Some(Self::Finding(finding_from(finding)?));
        }
        let numbers = value.get("report")?.as_array()?;
        let number = |at: usize| numbers.get(at).and_then(Value::as_u64);
        Some(Self::Done(CheckReport {
            n_groups: number(0)?,
            n_arrays: number(1)?,
            n_links: number(2)?,
            n_attributes: number(3)?,
            n_chunks: number(4)?,
            len_bytes: number(5)?,
            findings: Vec::new(),
        }))
    }
}

pub(super) fn finding_json(finding: &Finding) -> Value {
    json!({
        "severity": finding.severity.as_str(),
        "node": finding.node.as_str(),
        "chunk": finding.chunk,
        "kind": finding.kind.as_str(),
        "message": finding.message,
    })
}

fn finding_from(value: &Value) -> Option<Finding> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let severity = [Severity::Warning, Severity::Error];
    let chunk = value.get("chunk").and_then(Value::as_array);
    Some(Finding {
        severity: severity.into_iter().find(|known| Some(known.as_str()) == text("severity"))?,
        node: NodePath::parse(text("node")?).ok()?,
        chunk: chunk.map(|chunk| chunk.iter().filter_map(Value::as_u64).collect()),
        kind: ErrorKind::parse(text("kind")?)?,
        message: text("message")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_as_they_were() {
        let node = NodePath::parse("/a/b").unwrap();
        let finding = Finding {
            severity: Severity::Warning,
            node: node.clone(),
            chunk: Some(vec![1, 2]),
            kind: ErrorKind::Corrupt,
            message: "odd\n\"thing\"".to_owned(),
        };
        let report = CheckReport { n_groups: 1, len_bytes: 9, ..CheckReport::default() };
        for message in [
            Message::Node(node),
            Message::Bytes(1, u64::MAX),
            Message::Finding(finding),
            Message::Done(report),
        ] {
            assert_eq!(Message::from_json(&message.to_json().to_string()), Some(message));
        }
        for line in ["", "{}", "[1]", "{\"node\":3}", "{\"report\":[1]}"] {
            assert_eq!(Message::from_json(line), None, "{line}");
        }
    }
}
