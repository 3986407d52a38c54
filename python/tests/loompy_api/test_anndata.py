"""anndata reads and writes Loom through the drop-in as it does through loompy."""

from __future__ import annotations

import json
import subprocess

import pytest

PROGRAM = """
import json, sys, warnings
warnings.simplefilter("ignore")
import anndata, numpy as np, pandas as pd, scipy.sparse
import loompy

folder = sys.argv[1]
rng = np.random.default_rng(0)
X = scipy.sparse.csr_matrix(rng.poisson(0.5, (30, 20)).astype("f4"))
obs = pd.DataFrame({"kind": pd.Categorical(rng.choice(["a", "b"], 30)), "age": np.arange(30) / 2},
                   index=[f"cell{i}" for i in range(30)])
var = pd.DataFrame({"length": np.arange(20)}, index=[f"gene{i}" for i in range(20)])
data = anndata.AnnData(X, obs=obs, var=var, layers={"spliced": X * 2},
                       obsm={"X_umap": rng.random((30, 2))})
data.write_loom(f"{folder}/a.loom", write_obsm_varm=True)
found = []
for sparse in (True, False):
    read = anndata.io.read_loom if hasattr(anndata.io, "read_loom") else anndata.read_loom
    back = read(f"{folder}/a.loom", sparse=sparse, obs_names="obs_names", var_names="var_names",
                X_name="", validate=False)
    x = back.X.toarray() if sparse else back.X
    found.append([list(back.obs_names), list(back.var_names), back.obs["kind"].tolist(),
                  back.obs["age"].tolist(), back.obsm["X_umap"].tolist(), x.tolist(),
                  str(back.X.dtype), np.asarray(back.layers["spliced"].sum()).tolist()])
print(json.dumps([loompy.LoomConnection.__module__, found]))
"""


@pytest.fixture
def run(peer, tmp_path):
    """`run("loompy")` and `run("stook")`: what anndata gives with either, in one environment."""
    has_stook = subprocess.run([peer.python, "-c", "import stook"], capture_output=True, check=False)
    if has_stook.returncode:
        pytest.skip("stook is not installed beside loompy; cargo xtask test installs it")

    def run(which):
        folder = tmp_path / which
        folder.mkdir()
        lent = ["-m", "stook.compat", "loompy", "--"] if which == "stook" else []
        command = [peer.python, *lent, "-c", PROGRAM, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


def test_what_anndata_writes_and_reads_is_the_same(run):
    (theirs_module, theirs), (ours_module, ours) = run("loompy"), run("stook")
    assert theirs_module.startswith("loompy") and ours_module.startswith("stook")
    assert ours == theirs
