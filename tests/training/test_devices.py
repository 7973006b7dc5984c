"""Two processes share a batch: under ``torchrun``, gloo on the CPU, they give the gradients of one process."""

import os
import subprocess
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).parents[2]
GRADIENTS = """
import sys
from pathlib import Path
import torch
from tests.training.rooms import RoomFrames
from tests.training.test_learning import FakeFeatures, WIDTH, quick
from training.checkpoints import new_network
from training.data import collate
from training.distill import Distillation, TaughtFrames, collate_taught
from training.loop import fabric_for
from training.settings import DistillSettings
from training.supervise import Supervision

out, per_process = Path(sys.argv[1]), int(sys.argv[2])
frames = RoomFrames(2)
taught = TaughtFrames(frames, FakeFeatures(), DistillSettings())
fabric = fabric_for(quick(), out)
mine = range(fabric.global_rank * per_process, (fabric.global_rank + 1) * per_process)
gradients = {}
for name, width, batch in (
    ("supervised", 12, collate([frames[i] for i in mine])),
    ("distilled", WIDTH, collate_taught([taught[i] for i in mine])),
):
    torch.manual_seed(0)
    network = new_network("small", width)
    task = Supervision(network) if name == "supervised" else Distillation(network, DistillSettings())
    wrapped, optimizer = fabric.setup(task, torch.optim.SGD(task.parameters(), lr=1.0))
    fabric.backward(wrapped(batch)["total"])
    gradients |= {f"{name} {key}": value.grad.clone() for key, value in network.named_parameters()}
if fabric.is_global_zero:
    torch.save(gradients, out / "gradients.pt")
"""


def run(folder: Path, processes: int) -> dict[str, torch.Tensor]:
    folder.mkdir()
    script = folder / "gradients.py"
    script.write_text(GRADIENTS)
    torchrun = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
    command = [*torchrun, "--master-port", "0", "--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    subprocess.run([*command, str(script), str(folder), str(2 // processes)], cwd=ROOT, env=environment, check=True)
    return dict(torch.load(folder / "gradients.pt", weights_only=True))


def test_two_processes_give_the_gradients_of_one_with_twice_the_batch(tmp_path: Path):
    alone, together = run(tmp_path / "one", 1), run(tmp_path / "two", 2)
    assert alone.keys() == together.keys()
    for task in ("supervised", "distilled"):
        names = [name for name in alone if name.startswith(task)]
        largest = max(float(alone[name].abs().max()) for name in names)
        assert largest > 1e-3
        for name in names:
            assert torch.allclose(alone[name], together[name], rtol=1e-3, atol=1e-5 * largest), name
