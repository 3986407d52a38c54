//! Chains of LZMA's filters as Python's `lzma` module takes them: lists of objects with `id`.

use liblzma::stream::{Filters, LzmaOptions, MatchFinder, Mode};
use serde_json::Value;

use crate::codec::Lzma;
use crate::error::{Error, Result};

const LZMA1: u64 = 0x4000_0000_0000_0001;
const LZMA2: u64 = 0x21;
const DELTA: u64 = 0x03;
const DEFAULT_PRESET: u32 = 6;
/// The slower variant of a preset.
const EXTREME: u32 = 1 << 31;
const MAX_FILTERS: usize = 4;
const MIN_DICTIONARY_LEN: u32 = 4096;
const MAX_DICTIONARY_LEN: u32 = 1536 << 20;

/// Filters, in the order of encoding.
#[derive(Clone, Debug)]
pub(super) struct Chain(Vec<Filter>);

#[derive(Clone, Debug)]
enum Filter {
    Lzma1(Settings),
    Lzma2(Settings),
    /// Bytes less the one this far before, less one.
    Delta(u8),
    /// Jumps in machine code.
    Branch {
        kind: Branch,
        start: u32,
    },
}

#[derive(Clone, Copy, Debug)]
enum Branch {
    X86,
    PowerPc,
    Ia64,
    Arm,
    ArmThumb,
    Sparc,
    Arm64,
    RiscV,
}

impl Chain {
    /// The chain that `config` asks for.
    ///
    /// # Errors
    /// `InvalidInput` naming what is out of range.
    pub(super) fn new(config: &Lzma) -> Result<Self> {
        let Some(filters) = &config.filters else {
            let settings = Settings::preset(config.preset.unwrap_or(DEFAULT_PRESET))?;
            // An lzma stream knows only the older of the two.
            let is_alone = config.format == 2;
            let filter = if is_alone { Filter::Lzma1(settings) } else { Filter::Lzma2(settings) };
            return Ok(Self(vec![filter]));
        };
        if config.preset.is_some() {
            return Err(invalid("expected a preset or filters, found both"));
        }
        let filters = filters.as_array().ok_or_else(|| invalid("expected a list of filters"))?;
        let chain: Vec<_> = filters.iter().map(Filter::parse).collect::<Result<_>>()?;
        let ends_well = |filter: &Filter| matches!(filter, Filter::Lzma1(_) | Filter::Lzma2(_));
        let n_ends = chain.iter().filter(|filter| ends_well(filter)).count();
        if chain.len() > MAX_FILTERS || n_ends != 1 || !chain.last().is_some_and(ends_well) {
            return Err(invalid(format!(
                "expected at most {MAX_FILTERS} filters, the last one and no other LZMA1 or \
                 LZMA2, found {filters:?}"
            )));
        }
        Ok(Self(chain))
    }

    pub(super) fn has_lzma1(&self) -> bool {
        self.0.iter().any(|filter| matches!(filter, Filter::Lzma1(_)))
    }

    /// The settings of the LZMA1 filter, if it stands alone.
    pub(super) fn only_lzma1(&self) -> Option<&Settings> {
        match self.0.as_slice() {
            [Filter::Lzma1(settings)] => Some(settings),
            _ => None,
        }
    }

    /// The library's form of it, for `len` bytes of data.
    ///
    /// # Errors
    /// `InvalidInput` if the library does not know a filter.
    pub(super) fn build(&self, len: usize) -> Result<Filters> {
        let mut filters = Filters::new();
        for filter in &self.0 {
            match filter {
                Filter::Lzma1(settings) => Ok(filters.lzma1(&settings.options(len)?)),
                Filter::Lzma2(settings) => Ok(filters.lzma2(&settings.options(len)?)),
                Filter::Delta(distance) => filters.delta_properties(&[*distance]),
                Filter::Branch { kind, start } => kind.push(&mut filters, start.to_le_bytes()),
            }
            .map_err(|error| invalid(format!("{filter:?} is not to be had: {error}")))?;
        }
        Ok(filters)
    }
}

impl Filter {
    fn parse(filter: &Value) -> Result<Self> {
        let id = filter.get("id").and_then(Value::as_u64);
        let id = id.ok_or_else(|| invalid(format!("expected a filter's `id`, found {filter}")))?;
        let branch = |kind| {
            let start = number(filter, "start_offset", 0..=u32::MAX)?.unwrap_or(0);
            Ok(Self::Branch { kind, start })
        };
        match id {
            LZMA1 => Ok(Self::Lzma1(Settings::parse(filter)?)),
            LZMA2 => Ok(Self::Lzma2(Settings::parse(filter)?)),
            DELTA => {
                let distance = number(filter, "dist", 1..=256)?.unwrap_or(1);
                Ok(Self::Delta(u8::try_from(distance - 1).expect("at most 255")))
            }
            4 => branch(Branch::X86),
            5 => branch(Branch::PowerPc),
            6 => branch(Branch::Ia64),
            7 => branch(Branch::Arm),
            8 => branch(Branch::ArmThumb),
            9 => branch(Branch::Sparc),
            10 => branch(Branch::Arm64),
            11 => branch(Branch::RiscV),
            _ => Err(invalid(format!("filter {id:#x} is not known"))),
        }
    }
}

impl Branch {
    fn push(
        self,
        filters: &mut Filters,
        start: [u8; 4],
    ) -> std::result::Result<&mut Filters, liblzma::stream::Error> {
        match self {
            Self::X86 => filters.x86_properties(&start),
            Self::PowerPc => filters.powerpc_properties(&start),
            Self::Ia64 => filters.ia64_properties(&start),
            Self::Arm => filters.arm_properties(&start),
            Self::ArmThumb => filters.arm_thumb_properties(&start),
            Self::Sparc => filters.sparc_properties(&start),
            Self::Arm64 => filters.arm64_properties(&start),
            Self::RiscV => filters.riscv_properties(&start),
        }
    }
}

/// A preset, and what differs from it.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    preset: u32,
    dictionary_len: Option<u32>,
    literal_context_bits: Option<u32>,
    literal_position_bits: Option<u32>,
    position_bits: Option<u32>,
    mode: Option<Mode>,
    nice_len: Option<u32>,
    match_finder: Option<MatchFinder>,
    depth: Option<u32>,
}

impl Settings {
    fn preset(preset: u32) -> Result<Self> {
        if preset & !EXTREME > 9 {
            return Err(invalid(format!("expected a preset of 0 to 9, found {preset}")));
        }
        Ok(Self {
            preset,
            dictionary_len: None,
            literal_context_bits: None,
            literal_position_bits: None,
            position_bits: None,
            mode: None,
            nice_len: None,
            match_finder: None,
            depth: None,
        })
    }

    fn parse(filter: &Value) -> Result<Self> {
        let preset = number(filter, "preset", 0..=u32::MAX)?.unwrap_or(DEFAULT_PRESET);
        let (context, position) = (number(filter, "lc", 0..=4)?, number(filter, "lp", 0..=4)?);
        // Every preset has 3 and 0.
        let n_bits = context.unwrap_or(3) + position.unwrap_or(0);
        if n_bits > 4 {
            return Err(invalid(format!("expected `lc` + `lp` of at most 4, found {n_bits}")));
        }
        let dictionary = number(filter, "dict_size", MIN_DICTIONARY_LEN..=MAX_DICTIONARY_LEN)?;
        Ok(Self {
            dictionary_len: dictionary,
            literal_context_bits: context,
            literal_position_bits: position,
            position_bits: number(filter, "pb", 0..=4)?,
            mode: choice(filter, "mode", &[(1, Mode::Fast), (2, Mode::Normal)])?,
            nice_len: number(filter, "nice_len", 2..=273)?,
            match_finder: choice(
                filter,
                "mf",
                &[
                    (0x03, MatchFinder::HashChain3),
                    (0x04, MatchFinder::HashChain4),
                    (0x12, MatchFinder::BinaryTree2),
                    (0x13, MatchFinder::BinaryTree3),
                    (0x14, MatchFinder::BinaryTree4),
                ],
            )?,
            depth: number(filter, "depth", 0..=u32::MAX)?,
            ..Self::preset(preset)?
        })
    }

    /// The library's form of it, for `len` bytes of data.
    ///
    /// # Errors
    /// `InvalidInput` if the library does not know the preset.
    pub(super) fn options(&self, len: usize) -> Result<LzmaOptions> {
        let mut options = LzmaOptions::new_preset(self.preset)
            .map_err(|_| invalid(format!("preset {} is not known", self.preset)))?;
        let wanted = self.dictionary_len.unwrap_or_else(|| preset_dictionary_len(self.preset));
        options.dict_size(dictionary_len(wanted, len));
        if let Some(bits) = self.literal_context_bits {
            options.literal_context_bits(bits);
        }
        if let Some(bits) = self.literal_position_bits {
            options.literal_position_bits(bits);
        }
        if let Some(bits) = self.position_bits {
            options.position_bits(bits);
        }
        if let Some(mode) = self.mode {
            options.mode(mode);
        }
        if let Some(len) = self.nice_len {
            options.nice_len(len);
        }
        if let Some(finder) = self.match_finder {
            options.match_finder(finder);
        }
        if let Some(depth) = self.depth {
            options.depth(depth);
        }
        Ok(options)
    }
}

/// What liblzma's presets take, in bytes.
fn preset_dictionary_len(preset: u32) -> u32 {
    const LOG2: [u32; 10] = [18, 20, 21, 22, 22, 23, 23, 24, 25, 26];
    let log2 = LOG2.get((preset & !EXTREME) as usize).or(LOG2.last());
    1 << log2.copied().unwrap_or_default()
}

/// `wanted`, but no longer than `len` bytes of data need.
pub(super) fn dictionary_len(wanted: u32, len: usize) -> u32 {
    let needed = u32::try_from(len).ok().and_then(u32::checked_next_power_of_two);
    wanted.min(needed.unwrap_or(u32::MAX).max(MIN_DICTIONARY_LEN))
}

/// The number under `key`; `None` if there is none or null.
fn number(filter: &Value, key: &str, range: std::ops::RangeInclusive<u32>) -> Result<Option<u32>> {
    let Some(value) = filter.get(key).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    number.filter(|number| range.contains(number)).map(Some).ok_or_else(|| {
        let (min, max) = range.into_inner();
        invalid(format!("expected `{key}` of {min} to {max}, found {value}"))
    })
}

/// What the number under `key` stands for.
fn choice<T: Copy>(filter: &Value, key: &str, choices: &[(u32, T)]) -> Result<Option<T>> {
    let Some(found) = number(filter, key, 0..=u32::MAX)? else {
        return Ok(None);
    };
    match choices.iter().find(|(number, _)| *number == found) {
        Some((_, choice)) => Ok(Some(*choice)),
        None => Err(invalid(format!("`{key}` {found} is not known"))),
    }
}

#[cold]
fn invalid(message: impl std::fmt::Display) -> Error {
    Error::invalid(format!("lzma: {message}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chain(filters: Value) -> Result<Chain> {
        Chain::new(&Lzma { format: 3, check: -1, preset: None, filters: Some(filters) })
    }

    #[test]
    fn filters_out_of_range_are_refused_by_name() {
        for (filters, expected) in [
            (json!({}), "lzma: expected a list of filters"),
            (json!([{ "dist": 1 }]), "lzma: expected a filter's `id`, found {\"dist\":1}"),
            (json!([{ "id": 99 }]), "lzma: filter 0x63 is not known"),
            (json!([{ "id": 33, "lc": 5 }]), "lzma: expected `lc` of 0 to 4, found 5"),
            (json!([{ "id": 33, "lp": 2 }]), "lzma: expected `lc` + `lp` of at most 4, found 5"),
            (json!([{ "id": 33, "mf": 5 }]), "lzma: `mf` 5 is not known"),
            (json!([{ "id": 3, "dist": 0 }]), "lzma: expected `dist` of 1 to 256, found 0"),
        ] {
            assert_eq!(chain(filters).unwrap_err().message(), expected);
        }
        for filters in [json!([]), json!([{ "id": 3 }]), json!([{ "id": 33 }, { "id": 33 }])] {
            assert!(chain(filters).is_err());
        }
    }

    #[test]
    fn every_filter_is_known_to_the_library() {
        for id in 3..=11 {
            chain(json!([{ "id": id }, { "id": LZMA2 }])).unwrap().build(10).unwrap();
        }
        let all = json!([{
            "id": LZMA1, "preset": 9, "dict_size": 4096, "lc": 1, "lp": 2, "pb": 0, "mode": 1,
            "nice_len": 273, "mf": 4, "depth": 8,
        }]);
        chain(all).unwrap().build(10).unwrap();
    }

    #[test]
    fn a_dictionary_is_as_long_as_its_data() {
        assert_eq!(dictionary_len(1 << 23, 0), 4096);
        assert_eq!(dictionary_len(1 << 23, 5000), 8192);
        assert_eq!(dictionary_len(1 << 20, 5 << 20), 1 << 20);
        assert_eq!(dictionary_len(u32::MAX, usize::MAX), u32::MAX);
    }
}
