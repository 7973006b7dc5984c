"""From image features and depth to features of every cell of the grid (Symphonies, section 3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.symphonies.attention import AttentionLayer, DeformableLayer
from models.symphonies.config import SymphoniesConfig
from models.symphonies.convolutions import Aspp
from models.symphonies.views import Views, cell_centres, hit, lift, project

LEVELS = 3


class Decoder(nn.Module):
    """Lifts image features to cells, then lets instance queries and cells exchange what they know, three times.

    Cells are kept as (B, N, C) in C order of (x, y, z). Of the batch, every picture has other cells in view: the layers
    see as many rows as the picture with most of them, the rest is filled up and not written back.
    """

    def __init__(self, config: SymphoniesConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        count = config.cells[0] * config.cells[1] * config.cells[2]
        self.cell_embedding = nn.Parameter(torch.randn(count, channels))
        self.axis_x, self.axis_y, self.axis_z = (nn.Embedding(side, channels // 2) for side in config.cells)
        self.position = nn.Linear(3 * (channels // 2), channels)
        self.queries = nn.Embedding(config.queries, channels)
        self.query_position = nn.Embedding(config.queries, channels)
        self.query_places = nn.Parameter(torch.randn(config.queries, 2))
        self.proposal = DeformableLayer(channels, config.heads, LEVELS, config.points, config.dropout, ratio=4)
        last = config.layers - 1
        self.layers = nn.ModuleList(_Layer(config, updates_queries=i != last) for i in range(config.layers))
        self.aspp = Aspp(config)

    def forward(self, maps: Sequence[Tensor], views: Views) -> list[Tensor]:
        """Return the cells (B, C, X, Y, Z) after every layer, of three maps (B, C, h, w) and what they show."""
        batch, config = len(views.depth), self.config
        lifted = lift(views, config)
        places, in_view = project(views, config)
        positions = self._positions().expand(batch, -1, -1)
        cells = self.cell_embedding.expand(batch, -1, -1)
        cells = self._propose(cells, positions, places, maps, hit(lifted.flatten(1), cells.shape[1]))
        places_of_queries = self.query_places.sigmoid().expand(batch, -1, -1)
        queries = _InstanceQueries(
            features=self.queries.weight.expand(batch, -1, -1),
            position=self.query_position.weight.expand(batch, -1, -1),
            in_picture=places_of_queries,
            in_grid=self._query_cells(places_of_queries, lifted),
        )
        outputs = []
        for number, layer in enumerate(self.layers):
            cells = layer(cells, positions, in_view, queries, maps)
            grid = cells.mT.reshape(batch, -1, *config.cells)
            if number == config.layers - 1:
                grid = self.aspp(grid)
            outputs.append(grid)
        return outputs

    def _propose(
        self, cells: Tensor, positions: Tensor, places: Tensor, maps: Sequence[Tensor], seen: Tensor
    ) -> Tensor:
        """Give the cells that depth hits what the image shows there."""
        rows = _Rows(seen)
        read = self.proposal(rows.take(cells), rows.take(positions), rows.take(places)[:, :, None], maps)
        return rows.put(cells, read)

    def _positions(self) -> Tensor:
        """Return the positional encoding (N, C): one learned vector a place along each axis, joined and projected."""
        x, y, z = self.axis_x.weight, self.axis_y.weight, self.axis_z.weight
        shape = self.config.cells
        joined = [
            x[:, None, None].expand(*shape, -1),
            y[None, :, None].expand(*shape, -1),
            z[None, None, :].expand(*shape, -1),
        ]
        # p(x, y, z) = W [e_x, e_y, e_z]
        return self.position(torch.cat(joined, dim=-1)).flatten(0, 2)  # type: ignore[no-any-return]

    def _query_cells(self, places: Tensor, lifted: Tensor) -> Tensor:
        """Return where in the squeezed grid (B, Q, 2) queries look; the middle of it where depth is missing."""
        height, width = lifted.shape[1:]
        size = places.new_tensor([width, height])
        pixel = (places.detach() * size).long().minimum(size.long() - 1)
        index = lifted[torch.arange(len(lifted), device=lifted.device)[:, None], pixel[..., 1], pixel[..., 0]]
        middle = places.new_full((2,), 0.5)
        return torch.where((index < 0)[..., None], middle, squeezed_places(self.config).to(places)[index.clamp(min=0)])


@dataclass
class _InstanceQueries:
    """The instance queries while they pass through the layers: features (B, Q, C) change, the rest stays.

    position: (B, Q, C). in_picture, in_grid: (B, Q, 2), where they read the picture and the squeezed grid, 0..1.
    """

    features: Tensor
    position: Tensor
    in_picture: Tensor
    in_grid: Tensor


class _Layer(nn.Module):
    """Queries read the image; cells read the queries and other cells; queries read the cells and each other."""

    def __init__(self, config: SymphoniesConfig, *, updates_queries: bool) -> None:
        super().__init__()
        self.config = config
        channels, heads, dropout = config.channels, config.heads, config.dropout
        self.query_from_image = DeformableLayer(channels, heads, LEVELS, config.points, dropout, ratio=4)
        self.cell_from_query = AttentionLayer(channels, heads, ratio=0)
        self.cell_from_cell = DeformableLayer(channels, heads, 1, 2 * config.points, dropout, ratio=4)
        self.query_from_cell = self.query_from_query = None
        if updates_queries:
            self.query_from_cell = DeformableLayer(channels, heads, 1, 2 * config.points, dropout, ratio=0)
            self.query_from_query = AttentionLayer(channels, heads, ratio=4)

    def forward(
        self,
        cells: Tensor,
        positions: Tensor,
        in_view: Tensor,
        queries: _InstanceQueries,
        maps: Sequence[Tensor],
    ) -> Tensor:
        """Return the cells (B, N, C) after this layer; the features of ``queries`` are replaced too."""
        queries.features = self.query_from_image(
            queries.features, queries.position, queries.in_picture[:, :, None], maps
        )
        rows = _Rows(in_view)
        seen, position = rows.take(cells), rows.take(positions)
        seen = self.cell_from_query(seen, position, queries.features, queries.position)
        reference = rows.take(squeezed_places(self.config).to(cells).expand(len(cells), -1, -1))[:, :, None]
        seen = self.cell_from_cell(seen, position, reference, [squeeze(cells, self.config)])
        cells = rows.put(cells, seen)
        if self.query_from_cell is not None and self.query_from_query is not None:
            plane = [squeeze(cells, self.config)]
            read = self.query_from_cell(queries.features, queries.position, queries.in_grid[:, :, None], plane)
            queries.features = self.query_from_query(read, queries.position, read, queries.position)
        return cells


class _Rows:
    """Some cells of every picture of a batch: as many rows as the picture with most of them."""

    def __init__(self, mask: Tensor) -> None:
        """``mask``: (B, N) bool."""
        self.mask = mask
        counts = mask.sum(dim=1)
        self.filled = torch.arange(max(int(counts.max()), 1), device=mask.device) < counts[:, None]

    def take(self, cells: Tensor) -> Tensor:
        """Return the rows (B, L, C) of cells (B, N, C), zeros where a picture has fewer."""
        taken = cells.new_zeros(*self.filled.shape, cells.shape[-1])
        taken[self.filled] = cells[self.mask]
        return taken

    def put(self, cells: Tensor, rows: Tensor) -> Tensor:
        """Return cells (B, N, C) with these rows replaced."""
        replaced = cells.clone()
        replaced[self.mask] = rows[self.filled].to(cells.dtype)
        return replaced


def squeeze(cells: Tensor, config: SymphoniesConfig) -> Tensor:
    """Unroll z into x: cells (B, N, C) as a map (B, C, X * Z, Y) for two-dimensional attention."""
    x, y, z = config.cells
    return cells.mT.reshape(len(cells), -1, x, y, z).transpose(3, 4).reshape(len(cells), -1, x * z, y)


def squeezed_places(config: SymphoniesConfig) -> Tensor:
    """Return where the N cells are in the map of ``squeeze``: (N, 2), across (y) and down (x, z), 0..1."""
    x, y, z = config.cells
    index = cell_centres(config) / config.cell_size - 0.5
    # cell (x, y, z) lies in row x Z + z and column y
    down = (index[:, 0].round() * z + index[:, 2].round() + 0.5) / (x * z)
    return torch.stack([(index[:, 1] + 0.5) / y, down], dim=-1)
