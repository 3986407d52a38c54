//! Loaders and transforms by name: what recipes may ask for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use stook::{AxisSelection, Selection};
use stook_core::{Error, Result};

use crate::cache::Source;
use crate::data::Data;
use crate::one_data::OneData;
use crate::recipe::LoadingRecipe;
use crate::suite2p::{Center, Planes, Suite2p};
use crate::transpose::transpose;

/// What a loader works with.
#[derive(Debug)]
pub struct Loading<'a> {
    data: &'a OneData,
    sources: Mutex<Vec<Source>>,
}

impl<'a> Loading<'a> {
    /// A load in the session whose files are `data`.
    #[must_use]
    pub fn new(data: &'a OneData) -> Self {
        Self { data, sources: Mutex::default() }
    }

    /// The files of the session.
    #[must_use]
    pub fn data(&self) -> &'a OneData {
        self.data
    }

    /// Says that the result depends on these files, looked at before they were read. The cache keeps
    /// a result while they are the same.
    pub fn uses(&self, sources: impl IntoIterator<Item = Source>) {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner).extend(sources);
    }

    /// The files that were told of.
    #[must_use]
    pub fn into_sources(self) -> Vec<Source> {
        self.sources.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

type Loader = Arc<dyn Fn(&Loading<'_>, &LoadingRecipe) -> Result<Data> + Send + Sync>;
type Transform = Arc<dyn Fn(Data) -> Result<Data> + Send + Sync>;

/// Loaders and transforms by name. Cheap to clone.
#[derive(Clone, Default)]
pub struct Recipes {
    loaders: BTreeMap<String, Loader>,
    transforms: BTreeMap<String, Transform>,
}

impl fmt::Debug for Recipes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (loaders, transforms) = (self.loaders.keys(), self.transforms.keys());
        write!(f, "Recipes {{ loaders: ")?;
        f.debug_list().entries(loaders).finish()?;
        write!(f, ", transforms: ")?;
        f.debug_list().entries(transforms).finish()?;
        write!(f, " }}")
    }
}

impl Recipes {
    /// None at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Those in use: the loaders `S2P` and `roiPosition`, the transforms `transpose` and
    /// `idx_column1`.
    #[must_use]
    pub fn standard() -> Self {
        Self::new()
            .loader("S2P", load_suite2p)
            .loader("roiPosition", load_positions)
            .transform("transpose", |data| transposed(&data))
            .transform("idx_column1", |data| second_column(&data))
    }

    /// The same with one more loader, in place of one of that name.
    #[must_use]
    pub fn loader(
        mut self,
        name: &str,
        load: impl Fn(&Loading<'_>, &LoadingRecipe) -> Result<Data> + Send + Sync + 'static,
    ) -> Self {
        self.loaders.insert(name.to_owned(), Arc::new(load));
        self
    }

    /// The same with one more transform, in place of one of that name.
    #[must_use]
    pub fn transform(
        mut self,
        name: &str,
        apply: impl Fn(Data) -> Result<Data> + Send + Sync + 'static,
    ) -> Self {
        self.transforms.insert(name.to_owned(), Arc::new(apply));
        self
    }

    /// Loads what `recipe` says.
    ///
    /// # Errors
    /// `Unsupported` naming a loader or transform that is not known, before anything is loaded; and
    /// what those return.
    pub fn follow(&self, loading: &Loading<'_>, recipe: &LoadingRecipe) -> Result<Data> {
        let load = find("loader", &self.loaders, &recipe.loader)?;
        let transforms =
            recipe.transforms.iter().map(|name| find("transform", &self.transforms, name));
        let transforms = transforms.collect::<Result<Vec<_>>>()?;
        let data = load(loading, recipe);
        let data =
            data.map_err(|error| error.within(format_args!("loader `{}`", recipe.loader)))?;
        recipe.transforms.iter().zip(transforms).try_fold(data, |data, (name, apply)| {
            apply(data).map_err(|error| error.within(format_args!("transform `{name}`")))
        })
    }
}

fn find<'a, T>(what: &str, known: &'a BTreeMap<String, T>, name: &str) -> Result<&'a T> {
    known.get(name).ok_or_else(|| {
        let names = known.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let known = if names.is_empty() { "none is".to_owned() } else { format!("known: {names}") };
        Error::unsupported(format!("the {what} `{}` is not known; {known}", name.escape_debug()))
    })
}

fn load_suite2p(loading: &Loading<'_>, recipe: &LoadingRecipe) -> Result<Data> {
    let variable = recipe.source.as_deref();
    let variable = variable.ok_or_else(|| Error::invalid("expected a variable, such as `F`"))?;
    let mut planes = Planes::Joined;
    for (name, value) in &recipe.arguments {
        planes = match (name.as_str(), value) {
            ("concatenate", Value::Bool(true)) => Planes::Joined,
            ("concatenate", Value::Bool(false)) => Planes::Apart,
            _ => return Err(unknown(name, value)),
        };
    }
    let suite2p = Suite2p::of(loading.data());
    loading.uses(suite2p.sources(variable)?);
    suite2p.load(variable, planes)
}

fn load_positions(loading: &Loading<'_>, recipe: &LoadingRecipe) -> Result<Data> {
    let mut mode = recipe.source.as_deref().unwrap_or("weightedmean");
    for (name, value) in &recipe.arguments {
        mode = match (name.as_str(), value) {
            ("mode", Value::String(mode)) => mode,
            _ => return Err(unknown(name, value)),
        };
    }
    let center = match mode {
        "weightedmean" => Center::WeightedMean,
        "median" => Center::Median,
        other => return Err(unknown("mode", &Value::from(other))),
    };
    let suite2p = Suite2p::of(loading.data());
    loading.uses(suite2p.sources("stat")?);
    suite2p.positions(center).map(Data::from)
}

fn unknown(name: &str, value: &Value) -> Error {
    Error::invalid(format!("the argument `{name}` cannot be {value}"))
}

fn transposed(data: &Data) -> Result<Data> {
    match data {
        // Where it is turned anyway, it need not be copied first.
        Data::Array(array) => transpose(&array.read(&Selection::All)?).map(Data::from),
        Data::Values(values) => transpose(values).map(Data::from),
        other => Err(other.unfit("an array")),
    }
}

fn second_column(data: &Data) -> Result<Data> {
    let axes = Selection::Axes(vec![AxisSelection::ALL, AxisSelection::Index(1)]);
    match data {
        Data::Array(array) => array.read(&axes).map(Data::from),
        Data::Values(values) => column(values, 1).map(Data::from),
        other => Err(other.unfit("an array")),
    }
}

fn column(values: &stook_core::Values, at: usize) -> Result<stook_core::Values> {
    let (item, shape) = (values.dtype().item_size(), values.shape());
    let &[n_rows, n_columns] = shape else {
        return Err(Error::invalid(format!("expected two axes, found shape {shape:?}")));
    };
    if at as u64 >= n_columns || values.dtype().has_heap() {
        return Err(Error::invalid(format!("there is no column {at} in shape {shape:?}")));
    }
    let line = values.items().len() / usize::try_from(n_rows).unwrap_or(1).max(1);
    let lines = values.items().chunks_exact(line.max(1));
    let cells = lines.filter_map(|line| line.get(at * item..(at + 1) * item));
    let items = cells.flatten().copied().collect();
    stook_core::Values::new(values.dtype().clone(), vec![n_rows], items, Vec::new())
}
