"""What one clip costs one way to find its cameras and depth, and tables of that."""

from dataclasses import dataclass

STAR = r"\*"
CPU = "cpu"


@dataclass(frozen=True)
class ClipCost:
    """What one clip costs one way.

    cpu_s: processor seconds. gflop: operations of the networks, 10^9, multiplications and additions, counted from the
    architecture; 0 where there is none. peak_gb: resident memory of the process or its largest child. computed: whether
    the seconds are computed from those of parts that were run; ``note`` says which. device: where the network ran.
    seconds: by the clock, where a network was run alone, else 0. share: of the device's rate of a large matrix product,
    0 where that is not measured. On a card peak_gb is the card's memory.
    """

    way: str
    frames: int
    cpu_s: float
    gflop: float
    peak_gb: float
    note: str = ""
    computed: bool = False
    device: str = CPU
    seconds: float = 0.0
    share: float = 0.0

    @property
    def clips_a_minute(self) -> float:
        """By the clock, one clip after another; 0 where that is not measured."""
        return 60 / self.seconds if self.seconds else 0.0


def table(rows: list[ClipCost]) -> str:
    """Return a table of what was measured, each beside DUSt3R's processor seconds of as many frames where they are."""
    base = {row.frames: row.cpu_s for row in rows if row.way == "dust3r"}
    lines = [
        "| way | frames | CPU-s | GFLOP | peak memory, GB | DUSt3R's CPU-s over it | |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ratio = f"{base[row.frames] / row.cpu_s:.1f}x" if row.frames in base else ""
        operations = f"{row.gflop:,.0f}" if row.gflop else ""
        name = f"`{row.way}`"
        seconds = f"{row.cpu_s:.0f}{STAR * row.computed}"
        lines.append(f"| {name} | {row.frames} | {seconds} | {operations} | {row.peak_gb:.1f} | {ratio} | {row.note} |")
    return "\n".join(
        [*lines, "", f"{STAR} computed from the parts that were run; all other seconds and all memory are measured."]
    )


def device_table(rows: list[ClipCost]) -> str:
    """Return a table of networks on a device: clips a minute, and the share of its rate of a large matrix product."""
    lines = ["| way | device | frames | s | clips a minute | share of the device | peak memory, GB |"]
    lines.append("|---|---|---|---|---|---|---|")
    for row in rows:
        share = f"{row.share:.0%}" if row.share else ""
        seconds = f"{row.seconds:.2f}{STAR * row.computed} | {row.clips_a_minute:.1f}"
        lines.append(f"| `{row.way}` | {row.device} | {row.frames} | {seconds} | {share} | {row.peak_gb:.1f} |")
    return "\n".join([*lines, "", f"{STAR} computed from the frames that were run."])
