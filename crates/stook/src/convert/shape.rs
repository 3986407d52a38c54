//! How an array shall lie in the target: as in the source, changed by the rules that are for it.

use stook_core::codec::{Stage, build};
use stook_core::engine::Pipeline;
use stook_core::{
    Adapted, ArraySpec, ChunkGrid, CodecSpec, Container, DType, Error, ErrorKind, Extent, Format,
    Loss, NodePath, Result, Selection,
};

use super::options::Rules;
use super::{Chain, ChainLink, ConvertOptions, Cut};
use crate::builder::guess_chunks;
use crate::copy::{Change, Rounding, Window, is_number, is_rounded, number_of};

/// All rules for arrays.
pub(super) struct Shaper<'r> {
    select: Rules<'r, Selection>,
    chunks: Rules<'r, Cut>,
    shards: Rules<'r, Cut>,
    codecs: Rules<'r, Chain>,
    dtypes: Rules<'r, DType>,
    rounding: Rules<'r, Rounding>,
    is_lossy: bool,
    format: Format,
}

/// How an array is to be made, and what goes there.
#[derive(Debug)]
pub(super) struct Shaped {
    pub(super) spec: ArraySpec,
    pub(super) window: Window,
    pub(super) change: Change,
    pub(super) losses: Vec<Loss>,
}

/// An array on its way to its new layout.
struct Draft {
    spec: ArraySpec,
    losses: Vec<Loss>,
    /// The codecs that were asked for by name.
    asked: Option<Vec<CodecSpec>>,
    /// Whether chunks were asked for in so many words.
    asks_chunks: bool,
    has_new_chunks: bool,
    was_contiguous: bool,
}

impl<'r> Shaper<'r> {
    pub(super) fn new(options: &'r ConvertOptions<'_>, format: Format) -> Self {
        Self {
            select: Rules::new(&options.select, "selection"),
            chunks: Rules::new(&options.chunks, "chunks"),
            shards: Rules::new(&options.shards, "shards"),
            codecs: Rules::new(&options.codecs, "codec"),
            dtypes: Rules::new(&options.dtypes, "dtype"),
            rounding: Rules::new(&options.rounding, "rounding"),
            is_lossy: options.lossy,
            format,
        }
    }

    /// Whether the selection names no node, so that it can be for one array only.
    pub(super) fn selects_one(options: &ConvertOptions<'_>) -> bool {
        options.select.iter().any(|rule| rule.nodes.is_none())
    }

    /// # Errors
    /// `InvalidInput` if a rule was for no array.
    pub(super) fn expect_used(&self) -> Result<()> {
        self.select.expect_used()?;
        self.chunks.expect_used()?;
        self.shards.expect_used()?;
        self.codecs.expect_used()?;
        self.dtypes.expect_used()?;
        self.rounding.expect_used()
    }

    /// How the array at `node`, stored as `source`, shall be made in `target`.
    ///
    /// # Errors
    /// `InvalidInput` for a rule that does not fit the array, `Unsupported` for what the target
    /// cannot hold and for a loss that is not allowed.
    pub(super) fn shape(
        &mut self,
        node: &NodePath,
        source: &ArraySpec,
        target: &dyn Container,
    ) -> Result<Shaped> {
        let window = match self.select.find(node, &|_| !source.is_null()) {
            Some((selection, _)) => Window::new(selection, source.shape())?,
            None => Window::all(source.shape()),
        };
        let is_floating = |_: &Rounding| is_rounded(&source.dtype);
        let rounding = self.rounding.find(node, &is_floating).map(|(rounding, _)| *rounding);
        let fill = source.fill_value.as_ref().filter(|fill| fill.heap().is_empty());
        let spared = fill.map(|fill| fill.items().to_vec());
        let change = Change { is_lossy: self.is_lossy, rounding, spared };
        let mut draft = Draft {
            spec: windowed(source, &window),
            losses: Vec::new(),
            asked: None,
            asks_chunks: false,
            has_new_chunks: !window.is_all(),
            was_contiguous: source.contiguous,
        };
        if let Some(rounding) = rounding {
            let what = match rounding {
                Rounding::Digits(n) => format!("rounded to {n} digits"),
                Rounding::Bits(n) => format!("rounded to {n} bits of the mantissa"),
            };
            draft.losses.push(Loss::new("values", what));
        }
        self.retype(&mut draft, node, &change)?;
        self.cut(&mut draft, node)?;
        self.encode(&mut draft, node)?;
        if draft.has_new_chunks {
            draft.drop_bound_codecs();
        }
        let adapted = self.adapt(&mut draft, target, &change)?;
        draft.check_asked(&adapted.value, &adapted.losses, self.format)?;
        draft.losses.extend(adapted.losses);
        let spec = self.settle(draft.asked.take(), adapted.value, source, &mut draft.losses)?;
        Ok(Shaped { spec, window, change, losses: draft.losses })
    }

    fn retype(&mut self, draft: &mut Draft, node: &NodePath, change: &Change) -> Result<()> {
        let spec = &draft.spec;
        let can = |dtype: &DType| is_number(&spec.dtype) && Change::can(&spec.dtype, dtype);
        let Some((dtype, _)) = self.dtypes.find(node, &can) else { return Ok(()) };
        if *dtype == spec.dtype {
            return Ok(());
        }
        if !Change::can(&spec.dtype, dtype) {
            return Err(Error::unsupported(format!(
                "items of type {} cannot become {dtype}",
                spec.dtype
            )));
        }
        draft.losses.push(Loss::new(format!("dtype {}", spec.dtype), dtype.to_string()));
        set_dtype(&mut draft.spec, dtype, change)
    }

    fn cut(&mut self, draft: &mut Draft, node: &NodePath) -> Result<()> {
        let rank = draft.spec.shape().len();
        let has_axes = rank > 0 && !draft.spec.is_null();
        let fits = |cut: &Cut| match cut {
            Cut::Shape(shape) => has_axes && shape.len() == rank,
            _ => has_axes,
        };
        let chunks = self.chunks.find(node, &fits).map(|(cut, _)| cut);
        let shards = self.shards.find(node, &fits).map(|(cut, _)| cut);
        draft.cut_chunks(chunks.unwrap_or(&Cut::Keep), self.format)?;
        draft.cut_shards(shards, self.format)
    }

    fn encode(&mut self, draft: &mut Draft, node: &NodePath) -> Result<()> {
        let has_axes = !draft.spec.shape().is_empty() && !draft.spec.is_null();
        let chain = self.codecs.find(node, &|_| has_axes).map_or(&Chain::Keep, |(chain, _)| chain);
        let is_zarr = matches!(self.format, Format::ZarrV2 | Format::ZarrV3);
        let default = || match self.format {
            Format::Hdf5 => "shuffle+zlib:4",
            _ if is_zarr => "zstd:0",
            _ => "none",
        };
        let links = match chain {
            // What was in one piece gets the codec that it would get without chunks of its own.
            Chain::Keep if draft.was_contiguous && !draft.spec.contiguous && is_zarr => {
                default().parse()?
            }
            Chain::Keep => return Ok(()),
            Chain::Auto => default().parse()?,
            Chain::Of(links) => Chain::Of(links.clone()),
        };
        let Chain::Of(links) = links else { return Ok(()) };
        let codecs = fitted(&links, &draft.spec, self.format)?;
        if let Some(lossy) = codecs.iter().find(|codec| codec.is_lossy() && !self.is_lossy) {
            let message = format!("codec `{}` may change values", lossy.name());
            return Err(
                Error::unsupported(message).with_hint("allow it with `--lossy` (`lossy=True`)")
            );
        }
        if !codecs.is_empty() && draft.spec.contiguous {
            draft.spec.contiguous = false;
            draft.spec.grid = ChunkGrid::regular(guess_chunks(&draft.spec, None))?;
            draft.has_new_chunks = true;
        }
        draft.spec.codecs = merged(&draft.spec.codecs, &codecs);
        draft.asked = Some(codecs);
        // A setting out of range is told now, not by the first write.
        Pipeline::new(&draft.spec).map(drop)
    }

    /// The nearest that the target can hold; of numbers that it has no type for, the nearest
    /// number.
    fn adapt(
        &self,
        draft: &mut Draft,
        target: &dyn Container,
        change: &Change,
    ) -> Result<Adapted<ArraySpec>> {
        let error = match target.adapt_array(&draft.spec) {
            Err(error) if error.kind() == ErrorKind::Unsupported => error,
            other => return other,
        };
        let Some(number) = number_of(&draft.spec.dtype) else { return Err(error) };
        let is_narrower = number.item_size() < draft.spec.dtype.item_size();
        if is_narrower && !self.is_lossy {
            return Err(
                error.with_hint(format!("`--lossy` (`lossy=True`) rounds the numbers to {number}"))
            );
        }
        let from = draft.spec.dtype.to_string();
        set_dtype(&mut draft.spec, &number, change)?;
        draft.losses.push(Loss::new(format!("dtype {from}"), number.to_string()));
        target.adapt_array(&draft.spec)
    }

    /// Puts the codecs that were asked for in the place of those that the format would rather
    /// have, and replaces those that would lose once more what they have lost before.
    fn settle(
        &self,
        asked: Option<Vec<CodecSpec>>,
        mut spec: ArraySpec,
        source: &ArraySpec,
        losses: &mut Vec<Loss>,
    ) -> Result<ArraySpec> {
        if let Some(asked) = asked {
            losses.retain(|loss| !loss.what.starts_with("codec "));
            if !spec.contiguous {
                spec.codecs = merged(&spec.codecs, &asked);
            }
            return Ok(spec);
        }
        let is_stored_alike = spec.grid == source.grid
            && spec.codecs == source.codecs
            && spec.dtype == source.dtype
            && !source.contiguous;
        if !is_stored_alike && !self.is_lossy && spec.codecs.iter().any(loses_again) {
            let name =
                spec.codecs.iter().find(|codec| loses_again(codec)).map_or("", CodecSpec::name);
            losses
                .push(Loss::new(format!("codec {name}"), "zlib: it would change values once more"));
            spec.codecs = merged(&spec.codecs, &[CodecSpec::Zlib { level: 5 }]);
            if self.format == Format::ZarrV3 {
                spec.codecs =
                    merged(&spec.codecs, &[CodecSpec::Zstd { level: 0, checksum: false }]);
            }
        }
        Ok(spec)
    }
}

/// Whether what was encoded and decoded changes when that is done again.
fn loses_again(codec: &CodecSpec) -> bool {
    match codec {
        CodecSpec::Zfp(zfp) => zfp.mode != 5,
        CodecSpec::ZfpHdf5 { .. } => true,
        _ => false,
    }
}

/// Whether a codec is about how items lie, not about the room they take.
fn is_structural(codec: &CodecSpec) -> bool {
    matches!(
        codec,
        CodecSpec::Transpose { .. }
            | CodecSpec::ByteOrder(_)
            | CodecSpec::VlenUtf8
            | CodecSpec::VlenBytes
            | CodecSpec::VlenArray { .. }
            | CodecSpec::Json { .. }
            | CodecSpec::MessagePack { .. }
    )
}

/// The structural codecs of `old` around those of `new`.
fn merged(old: &[CodecSpec], new: &[CodecSpec]) -> Vec<CodecSpec> {
    let is_transpose = |codec: &&CodecSpec| matches!(codec, CodecSpec::Transpose { .. });
    let structural = || old.iter().filter(|codec| is_structural(codec));
    let first = structural().filter(is_transpose);
    let filters = new.iter().filter(|codec| codec.is_filter());
    let to_bytes = structural().filter(|codec| !is_transpose(codec));
    let rest = new.iter().filter(|codec| !codec.is_filter());
    first.chain(filters).chain(to_bytes).chain(rest).cloned().collect()
}

/// The codecs of a chain for the items of `spec`, in the spelling of `format`.
fn fitted(links: &[ChainLink], spec: &ArraySpec, format: Format) -> Result<Vec<CodecSpec>> {
    let mut stage = Stage::new(spec.dtype.clone(), spec.grid.regular_shape().map(<[u64]>::to_vec));
    let mut codecs = Vec::new();
    for link in links {
        let Some(codec) = link.codec(&stage)? else { continue };
        let codec = match (format, codec) {
            // The same under the name that HDF5 has for it.
            (Format::Hdf5, CodecSpec::Gzip { level }) => CodecSpec::Zlib { level },
            (Format::Hdf5, CodecSpec::Lz4 { .. }) => CodecSpec::Lz4Hdf5 { block_len_bytes: 0 },
            (_, codec) => codec,
        };
        if !spec.dtype.has_heap() {
            stage = build(&codec, &stage)?.1;
        }
        codecs.push(codec);
    }
    if !codecs.is_empty() && matches!(format, Format::Npy | Format::Npz) {
        let name = codecs.first().map_or("", CodecSpec::name);
        return Err(Error::unsupported(format!("{format} has no codecs: `{name}`")));
    }
    Ok(codecs)
}

/// `spec` for items of `dtype`; codecs that are made for the old type go.
fn set_dtype(spec: &mut ArraySpec, dtype: &DType, change: &Change) -> Result<()> {
    let (old, new) = (spec.dtype.item_size(), dtype.item_size());
    if let Some(fill) = spec.fill_value.take() {
        let plain = Change { rounding: None, ..change.clone() };
        let fill = plain.apply(fill, dtype).map_err(|error| error.within("fill value"))?;
        spec.fill_value = Some(fill);
    }
    spec.dtype = dtype.clone();
    for codec in &mut spec.codecs {
        match codec {
            CodecSpec::Shuffle { item_size } if *item_size == old => *item_size = new,
            CodecSpec::Blosc(blosc) if blosc.item_size == old => blosc.item_size = new,
            CodecSpec::Blosc2(blosc) if blosc.item_size == old => blosc.item_size = new,
            CodecSpec::Bitshuffle(shuffle) if shuffle.item_size == old => shuffle.item_size = new,
            _ => {}
        }
    }
    let is_typed = |codec: &CodecSpec| {
        let is_filter = codec.is_filter() && !matches!(codec, CodecSpec::Transpose { .. });
        is_filter || is_bound(codec) || matches!(codec, CodecSpec::Zfp(_) | CodecSpec::Pcodec(_))
    };
    spec.codecs.retain(|codec| !is_typed(codec));
    Ok(())
}

/// Whether a codec is set up for one shape of chunks.
fn is_bound(codec: &CodecSpec) -> bool {
    matches!(
        codec,
        CodecSpec::NBit { .. }
            | CodecSpec::ScaleOffsetHdf5 { .. }
            | CodecSpec::ZfpHdf5 { .. }
            | CodecSpec::Szip(_)
    )
}

/// `spec` of the elements that `window` takes.
fn windowed(spec: &ArraySpec, window: &Window) -> ArraySpec {
    let mut spec = spec.clone();
    if window.is_all() {
        return spec;
    }
    let kept: Vec<(usize, u64, u64)> = window.kept().collect();
    let old = spec.shape().to_vec();
    let shape: Vec<u64> = kept.iter().map(|(_, len, _)| *len).collect();
    let cut = |grid: &ChunkGrid, is_clipped: bool| {
        let lengths = kept.iter().map(|&(axis, len, _)| {
            let n = grid.n_along(axis, old.get(axis).copied().unwrap_or(0)).max(1);
            let n = if grid.regular_shape().is_some() { 1 } else { n };
            let longest = (0..n).map(|at| grid.extent(axis, at).1).max().unwrap_or(1).max(1);
            if is_clipped { longest.min(len.max(1)) } else { longest }
        });
        ChunkGrid::Regular(lengths.collect())
    };
    spec.shards = spec.shards.as_ref().map(|shards| cut(shards, false));
    spec.grid = match spec.contiguous {
        true => ChunkGrid::whole(&shape),
        false => cut(&spec.grid, spec.shards.is_none()),
    };
    if kept.len() != old.len() {
        spec.codecs.retain(|codec| !matches!(codec, CodecSpec::Transpose { .. }));
    }
    let growth = |&(axis, len, _): &(usize, u64, u64)| {
        let max = spec.max_shape.as_ref().and_then(|max| max.get(axis).copied().flatten());
        max.map(|max| if old.get(axis) == Some(&max) { len } else { max.max(len) })
    };
    let max_shape = kept.iter().map(growth).collect();
    spec.max_shape = spec.max_shape.is_some().then_some(max_shape);
    let name = |names: &Vec<Option<String>>, axis: usize| names.get(axis).cloned().flatten();
    let names = spec.dimension_names.take();
    spec.dimension_names =
        names.map(|names| kept.iter().map(|(axis, ..)| name(&names, *axis)).collect());
    spec.extent = Extent::Shape(shape);
    spec
}

/// The largest divisor of `len` that is at most `most`.
fn divisor(len: u64, most: u64) -> u64 {
    (1..=len).find(|n| len.is_multiple_of(*n) && len / n <= most.max(1)).map_or(1, |n| len / n)
}

impl Draft {
    fn lengths(&self, what: &str, shape: &[Option<u64>]) -> Result<Vec<u64>> {
        let axes = self.spec.shape();
        if shape.len() != axes.len() {
            let (expected, found) = (axes.len(), shape.len());
            return Err(Error::invalid(format!(
                "{what}: expected a length for each of {expected} axes, found {found}"
            )));
        }
        Ok(shape.iter().zip(axes).map(|(len, &axis)| len.unwrap_or(axis).max(1)).collect())
    }

    fn cut_chunks(&mut self, cut: &Cut, format: Format) -> Result<()> {
        let grid = match cut {
            Cut::Keep => return Ok(()),
            Cut::None => {
                let spec = &mut self.spec;
                spec.contiguous = true;
                spec.grid = ChunkGrid::whole(spec.shape());
                spec.shards = None;
                spec.codecs.retain(is_structural);
                // Elements in one piece cannot grow.
                let fixed: Vec<_> = spec.shape().iter().map(|&len| Some(len)).collect();
                if spec.max_shape.as_ref().is_some_and(|max| *max != fixed) {
                    self.losses.push(Loss::new("room to grow", "none"));
                }
                spec.max_shape = Some(fixed);
                (self.has_new_chunks, self.asks_chunks) = (true, true);
                return Ok(());
            }
            Cut::Auto => guess_chunks(&self.spec, None),
            Cut::Shape(shape) => {
                let lengths = self.lengths("chunks", shape)?;
                // HDF5 has no chunks longer than an axis that cannot grow.
                let is_bound = format == Format::Hdf5;
                let max = |axis: usize| self.spec.max_shape.as_ref()?.get(axis).copied().flatten();
                let clip = |(axis, len): (usize, u64)| {
                    max(axis).filter(|_| is_bound).map_or(len, |max| len.min(max.max(1)))
                };
                lengths.into_iter().enumerate().map(clip).collect()
            }
        };
        self.spec.contiguous = false;
        self.spec.grid = ChunkGrid::regular(grid)?;
        (self.has_new_chunks, self.asks_chunks) = (true, true);
        Ok(())
    }

    fn cut_shards(&mut self, cut: Option<&Cut>, format: Format) -> Result<()> {
        match cut {
            None | Some(Cut::Keep) => {
                let fits = match (&self.spec.shards, self.spec.grid.regular_shape()) {
                    (Some(shards), Some(chunks)) if self.has_new_chunks => {
                        let lengths = shards.regular_shape().unwrap_or_default();
                        lengths
                            .iter()
                            .zip(chunks)
                            .all(|(shard, chunk)| shard.is_multiple_of(*chunk))
                    }
                    _ => true,
                };
                if !fits {
                    self.spec.shards = None;
                    self.losses
                        .push(Loss::new("shards", "none: they are no multiples of the chunks"));
                }
                Ok(())
            }
            Some(Cut::None | Cut::Auto) => {
                self.spec.shards = None;
                Ok(())
            }
            Some(Cut::Shape(shape)) => {
                if format != Format::ZarrV3 {
                    return Err(Error::unsupported(format!("{format} has no shards")));
                }
                let shards = self.lengths("shards", shape)?;
                if self.spec.contiguous {
                    let guess = guess_chunks(&self.spec, None);
                    let chunks = shards.iter().zip(&guess).map(|(&len, &most)| divisor(len, most));
                    self.spec.grid = ChunkGrid::regular(chunks.collect::<Vec<_>>())?;
                    self.spec.contiguous = false;
                    self.has_new_chunks = true;
                }
                let chunks = self.spec.grid.regular_shape().unwrap_or_default();
                if chunks.is_empty()
                    || shards.iter().zip(chunks).any(|(shard, chunk)| !shard.is_multiple_of(*chunk))
                {
                    return Err(Error::invalid(format!(
                        "shards {shards:?} are no multiples of chunks {chunks:?}"
                    )));
                }
                self.spec.shards = Some(ChunkGrid::regular(shards)?);
                Ok(())
            }
        }
    }

    /// Leaves out codecs that are set up for the chunks of the source.
    fn drop_bound_codecs(&mut self) {
        for codec in self.spec.codecs.iter().filter(|codec| is_bound(codec)) {
            let what = format!("codec {}", codec.name());
            self.losses.push(Loss::new(what, "nothing: it is for chunks of one shape"));
        }
        self.spec.codecs.retain(|codec| !is_bound(codec));
    }

    /// Refuses where the format would change what was asked for in so many words.
    fn check_asked(&self, adapted: &ArraySpec, losses: &[Loss], format: Format) -> Result<()> {
        let is_kept = !self.asks_chunks
            || (adapted.grid == self.spec.grid && adapted.contiguous == self.spec.contiguous)
            || (adapted.contiguous
                && matches!(format, Format::Npy | Format::Npz)
                && self.spec.contiguous);
        let is_typed = Change::can(&self.spec.dtype, &adapted.dtype);
        let has_shards = adapted.shards == self.spec.shards || format != Format::ZarrV3;
        if is_kept && is_typed && has_shards {
            return Ok(());
        }
        let losses: Vec<String> = losses
            .iter()
            .map(|loss| format!("{} would become {}", loss.what, loss.becomes))
            .collect();
        let told = if losses.is_empty() {
            "it lays arrays out otherwise".to_owned()
        } else {
            losses.join("; ")
        };
        Err(Error::unsupported(format!("{format} cannot hold the array as asked for: {told}")))
    }
}
