"""Hair as strands: grown once per person in the head's frame, drawn each frame as anti-aliased lines.

A strand starts at a root on the scalp and follows a combing field, gravity and the skull; neighbours gather in locks.
`hair.json` holds the styles.
"""

import functools
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mesokit import files
from mesokit.synthetic.people.head import CENTRE, EXTENT, GRID, axes, to_uv
from mesokit.synthetic.people.mesh import FAR, unit
from mesokit.synthetic.people.paint import SIZE, masks, noise

SHADES = 14  # brightness levels of the hair in a frame
PIECE = 3  # segments drawn as one polyline
CELL, SLABS, CROWD = 6, 8, 9  # cells in pixels, slabs of depth; a point behind more than 9 others in its cell is hidden


@dataclass(frozen=True)
class Style:
    """How the hair of a style grows; lengths in cm."""

    strands: int
    length: list[float]  # shortest, longest
    lift: float  # how far the outermost strands lie above the skull
    comb: list[float]  # strengths: away from the whorl, to the side, back, down, out of the skull
    gravity: float
    curl: float  # radius
    turns: float  # of a curl along a strand
    clump: float  # 0 to 1: how far the tips of a lock gather


_STYLES = {name: Style(**values) for name, values in files.read_json(Path(__file__).with_name("hair.json")).items()}


@dataclass(frozen=True)
class Hair:
    """Strands of one person: points (n, k, 3) head frame, tint (n,), depth (n,) 0 inner to 1 outer, rgb sRGB.

    A strand ends at its point number `last` (n,); those after it repeat it.
    """

    points: np.ndarray
    last: np.ndarray
    tint: np.ndarray
    depth: np.ndarray
    rgb: np.ndarray

    @functools.cached_property
    def outward(self):
        """Directions out of the head at the middle of each piece, (n, pieces, 3) float32."""
        return unit(self.points[:, _middle(self.points.shape[1])] - CENTRE).astype(np.float32)


def _middle(points):
    """Number of the point in the middle of each piece of a strand of `points` points."""
    return np.minimum(np.arange(0, points - 1, PIECE) + PIECE // 2 + 1, points - 1)


def _points_on(uv, grid):
    """Surface points for (n, 2) coordinates from the dense grid (GRID, GRID, 3)."""
    columns = np.arange(GRID)
    at = np.stack([np.interp(uv[:, k], axis, columns) for k, axis in enumerate(axes())], -1).astype(np.float32)
    at = np.pad(at, ((0, -len(at) % 64), (0, 0))).reshape(-1, 64, 2)  # remap takes at most 32766 rows
    return cv2.remap(grid, at[..., 0], at[..., 1], cv2.INTER_LINEAR).reshape(-1, 3)[: len(uv)]


def _roots(person, rng, n, grid):
    """Roots (n, 3), spread evenly over the scalp, thinner towards an uneven hairline."""
    scalp = (masks()["scalp"] > 0.5).astype(np.uint8)
    inside = cv2.distanceTransform(scalp, cv2.DIST_L2, 5)
    rim = inside - (6 + 14 * person.hairline + 5 * noise(rng, SIZE, 40, 15))
    y = np.mgrid[0:SIZE, 0:SIZE][0]
    recede = 26 * max(person.hairline - 0.3, 0) * (y < 0.32 * SIZE)
    density = np.clip((rim - recede) / 14, 0, 1)
    if person.style == "bald":
        density *= y > 0.33 * SIZE
    tries = rng.uniform(0, SIZE - 1, (n * 8, 2)).astype(np.float32)
    keep = rng.random(len(tries)) < density[tries[:, 1].astype(int), tries[:, 0].astype(int)]
    uv = ((tries[keep][:n] + 0.5) / SIZE - 0.5) * (2 * EXTENT)
    return _points_on(uv.astype(np.float32), grid)


def _comb(p, person, weights):
    """Unit vectors (n, 3) along which hair at points p (n, 3) is combed."""
    whorl, side, back, down, out = weights
    part = np.float32(person.hair_part * 4)
    across = np.tanh((p[:, :1] - part) / 0.8)
    side = side * np.clip((p[:, 1:2] + 1) / 5, 0, 1)
    back = back * np.clip((p[:, 1:2] + 3) / 5, 0, 1)
    field = whorl * unit(p - np.array([0.8, 10.5, -5.0])) + side * across * np.array([1.0, -0.15, -0.15])
    field = field + back * np.array([0, 0.25, -1.0]) + down * np.array([0, -1.0, 0])
    normal = unit(p - CENTRE)
    field = field - normal * (field * normal).sum(-1, keepdims=True)
    return unit(unit(field) + out * normal)


def _keep_outside(p, grid, offset):
    """Push points out of the skull by `offset`, out of the neck, and away from the face."""
    radial = p - CENTRE
    r = np.linalg.norm(radial, axis=-1, keepdims=True)
    uv = to_uv(p)
    surface = np.linalg.norm(_points_on(uv, grid) - CENTRE, axis=-1, keepdims=True) + offset
    above = p[:, 1:2] > -6.0
    p = np.where(above & (r < surface), CENTRE + radial * (surface / r), p)
    x, z = p[:, :1], p[:, 2:] + 2.5
    neck = np.maximum(np.sqrt(x**2 + z**2), 1e-3)
    wide = 7.2 + offset
    squeeze = np.where((p[:, 1:2] <= -6.0) & (neck < wide), wide / neck, 1.0)
    p = np.concatenate([x * squeeze, p[:, 1:2], z * squeeze - 2.5], -1)
    face = (p[:, 1] < 1.5) & (p[:, 2] > 0.5) & (np.abs(p[:, 0]) < 7.2) & (np.abs(p[:, 0]) > 4.5)
    p[face, 0] = np.sign(p[face, 0]) * (7.2 + 0.2 * (np.abs(p[face, 0]) - 7.2))
    # Hair lies on the shoulders, in front or behind.
    over = np.interp(p[:, 1], [-24, -20, -17, -15], [11.0, 9.0, 6.5, 0])
    low = (p[:, 1] < -15) & (np.abs(p[:, 2] + 2.5) < over)
    p[low, 2] = np.where(p[low, 2] > -0.5, over[low], -over[low]) - 2.5
    return p


def grow(person, grid):
    """Grow the hair of a person on the dense surface `grid` (GRID, GRID, 3) -> Hair."""
    rng, style = np.random.default_rng([17, person.seed]), _STYLES[person.style]
    root = _roots(person, rng, style.strands, grid.astype(np.float32))
    n = len(root)
    centres, lock = _locks(person, rng, root)
    shortest, longest = style.length
    length = (shortest + (longest - shortest) * person.hair_length) * rng.uniform(0.75, 1.08, (n, 1))
    length = length * rng.uniform(0.85, 1.1, len(centres))[lock][:, None]
    offset = (style.lift * (0.08 + 0.92 * rng.random((n, 1)) ** 0.8)).astype(np.float32)
    # A turn of a curl needs four points; an afro is fuzz, with fewer.
    fewest = 6 if person.style == "afro" else max(6, int(np.ceil(4.2 * style.turns)))
    steps = int(np.clip(length.max() / 1.1, fewest, 18)) // PIECE * PIECE
    start = 0.12 * rng.standard_normal((n, 3)) + 0.16 * rng.standard_normal((len(centres), 3))[lock]
    points = _strands(person, rng, style, grid, root, start, length / steps, offset, steps)
    along = np.linspace(0, 1, steps + 1)[None, :, None] ** 0.8  # the tips of a lock gather more than its roots
    points = points + (points[centres][lock] - points) * along * style.clump * 0.75
    free = offset.repeat(steps, 1).reshape(-1, 1) * 0.5
    points[:, 1:] = _keep_outside(points[:, 1:].reshape(-1, 3), grid, free).reshape(n, -1, 3)
    points = _curl(points, rng, lock, len(centres), style, 3.0 if person.style == "afro" else 0.25)
    tint = np.exp(rng.normal(0, 0.13, n) + rng.normal(0, 0.10, len(centres))[lock])
    points, last, keep = _trim(points, person.style, length[:, 0] / steps)
    depth = (offset / style.lift)[keep, 0]
    points, tint = points[keep].astype(np.float32), tint[keep].astype(np.float32)
    return Hair(points, last[keep], tint, depth, np.array(person.hair))


def _locks(person, rng, root):
    """Numbers of the strands in the middle of locks, and for each strand (n,) the number of its lock."""
    centres = rng.integers(0, len(root), max(len(root) // 28, 1))
    right = root[:, 0] > person.hair_part * 4
    apart = right[:, None] != right[centres][None]  # no lock straddles the parting
    return centres, (((root[:, None] - root[centres][None]) ** 2).sum(-1) + 25 * apart).argmin(1)


def _strands(person, rng, style, grid, root, start, step, offset, steps):
    """Points (n, steps + 1, 3) of strands: they start at `root`, deflected by `start`, in steps of `step` (n, 1) cm."""
    line, v = [root], unit(_comb(root, person, style.comb) + start)
    *along, out = style.comb
    for k in range(steps):
        p = line[-1]
        v = 0.55 * v + 0.45 * _comb(p, person, (*along, out * 0.5 * (k < 2)))
        v = unit(v + style.gravity * np.array([0, -0.75, 0]) + 0.05 * rng.standard_normal(root.shape))
        line.append(_keep_outside(p + v * step, grid, offset * np.minimum(1.0, (k + 1) / 3)))
    return np.stack(line, 1)


def _trim(points, style, step):
    """Cut hair that covers the face, jumps over `step` (n,) cm or lies alone -> points, last (n,), kept (n,) bool."""
    x, y, z = np.abs(points[..., 0]), points[..., 1], points[..., 2]
    face = (
        (x < 7.35) & (y < 0.0) & (z > 1.6)
        | (x < 6.4) & (y < 1.0) & (z > 2.6)
        | (x < 4.5) & (z > 6) & (y < (2.6 if style == "fringe" else 5.7))
    )
    if style in ("tied", "back", "short", "buzz", "side"):
        face |= y < -3.5
    jump = np.linalg.norm(np.diff(points, axis=1), axis=-1).max(1) > 2.2 * step + 0.5
    keep = ~face.any(1) & ~jump
    last = np.full(len(points), points.shape[1] - 1)
    if style not in ("bald", "buzz"):
        last[keep] = _company(points[keep])
        keep &= last >= 2
        points = np.take_along_axis(points, np.minimum(np.arange(points.shape[1]), last[:, None])[..., None], 1)
    return points, last, keep


def _company(points):
    """Number of the last point of each strand (n, k, 3) that has others near it, since single hairs look wrong."""
    low, size, cell = np.array([-26.0, -46.0, -26.0]), (88, 108, 88), 0.6
    at = np.clip((points - low) / cell, 1, np.array(size) - 2).astype(int)
    at = np.ravel_multi_index(tuple(np.moveaxis(at, -1, 0)), size)
    crowd = np.bincount(at.ravel(), minlength=int(np.prod(size))).astype(np.float32).reshape(size)
    for axis in range(3):
        crowd = crowd + np.roll(crowd, 1, axis) + np.roll(crowd, -1, axis)
    crowd = crowd.ravel()[at]
    share = np.where(points[..., 1] < 2.5, 0.2, 0.04)  # above the brows a thin hairline looks natural
    alone = crowd < np.maximum(share * np.median(crowd), 4.0)
    return np.where(alone.any(1), alone.argmax(1) - 1, points.shape[1] - 1)


def _curl(points, rng, lock, n_locks, style, scatter):
    """Wind strands of a lock around its course, their phases `scatter` radians apart."""
    if style.curl == 0:
        return points
    t = np.linspace(0, 1, points.shape[1])[None]
    phase = rng.uniform(0, 2 * np.pi, n_locks)[lock][:, None] + rng.normal(0, scatter, (len(points), 1))
    phase = phase + 2 * np.pi * style.turns * t
    along = unit(np.gradient(points, axis=1))
    a = unit(np.cross(along, np.array([0.3, 0.2, 1.0])))
    b = np.cross(along, a)
    radius = np.clip(t * 3, 0, 1)[..., None] * style.curl
    return points + (a * np.cos(phase)[..., None] + b * np.sin(phase)[..., None]) * radius


def _shine(along, normals, light):
    """Brightness (n,) of pieces of hair: diffuse and highlight of a thread (Kajiya and Kay), darker near the roots."""
    out = np.full(len(along), 0.30 * light.sky[1] + 0.12 * light.floor[1], np.float32)
    for direction, colour in light.lamps:
        facing = np.clip((normals @ direction + 0.35) / 1.35, 0, 1)
        cosine = along @ direction
        half = unit(direction + np.array([0, 0, 1.0], np.float32))
        gleam = np.sqrt(np.clip(1 - (along @ half) ** 2, 0, 1)) ** 40
        out += colour[1] * facing * (0.55 * np.sqrt(np.clip(1 - cosine**2, 0, 1)) + 0.38 * gleam)
    return out


def draw(canvas, hair, view, depth, light, scale):
    """Draw visible pieces of strands on `canvas` (h*scale, w*scale, 4) uint8 RGBA, far and inner ones first.

    `depth` (h, w): distance of the nearest solid surface along z. Returns a box x0, y0, x1, y1 of pixels, even numbers,
    that contains everything drawn.
    """
    placed = view.place(hair.points.reshape(-1, 3)).astype(np.float32)
    px = view.project(placed).reshape(*hair.points.shape[:2], 2)
    placed = placed.reshape(hair.points.shape)
    h, w = depth.shape
    ij = np.clip(px, 0, [w - 1, h - 1]).astype(np.int32)
    seen = -placed[..., 2] < depth[ij[..., 1], ij[..., 0]] + np.float32(0.45)
    starts = np.arange(0, placed.shape[1] - 1, PIECE)
    at = starts[:, None] + np.arange(PIECE + 1)
    middle = _middle(placed.shape[1])
    far = -placed[:, middle, 2] - 1.5 * hair.depth[:, None]
    cuts = np.quantile(far[::7], [0.2, 0.4, 0.6, 0.8])
    seen_at = seen[:, at]
    drawn = (starts < hair.last[:, None]) & ~_buried(px, placed, at) & seen_at.any(-1)
    if not drawn.any():
        return 0, 0, 2, 2  # the smallest box that can be resized
    strand, piece = np.nonzero(drawn)  # the visible third: only these are processed from here on
    along = unit(placed[strand, middle[piece]] - placed[strand, starts[piece]])
    t = (middle / (placed.shape[1] - 1)).astype(np.float32)[piece]
    value = _shine(along, hair.outward[strand, piece] @ view.turn.T, light) * hair.tint[strand]
    value = value * (0.35 + 0.65 * np.maximum(hair.depth[strand], t * 0.6) ** 0.7)
    pieces = np.round((px[strand[:, None], at[piece]] + np.float32(0.5)) * scale * 16 - 8).astype(np.int32)
    level = np.clip(np.sqrt(value) * SHADES / 1.25, 0, SHADES - 1).astype(int)
    layer = 4 - np.searchsorted(cuts, far[drawn])
    order = layer * SHADES + level
    whole = seen_at.all(-1)[drawn]
    empty = canvas.view(np.uint32)[0, 0].copy()
    _strokes(canvas, hair, pieces, order, ~whole)
    inside = cv2.erode((depth < FAR - 1).astype(np.uint8), np.ones((3, 3), np.uint8))
    solid = cv2.resize(inside, canvas.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    np.copyto(canvas.view(np.uint32)[..., 0], empty, where=solid)  # hair behind a face ends at its outline
    _strokes(canvas, hair, pieces, order, whole)
    reach = np.array([pieces.min((0, 1)) - 32, pieces.max((0, 1)) + 32]) / (16 * scale)  # a line spreads two pixels
    low, high = np.clip(reach.astype(int), 0, [w - 2, h - 2]) // 2 * 2
    return *low, *(high + 2)


def _buried(px, placed, at):
    """Pieces (n, m) bool that are hidden, since all of their points lie behind many other strands.

    `px` (n, k, 2) pixels, `placed` (n, k, 3) camera space, `at` (m, PIECE + 1) the points of each piece.
    """
    cells = np.maximum((px * np.float32(1 / CELL)).astype(np.int32), 0)
    columns = int(cells[..., 0].max()) + 1
    cell = cells[..., 1] * columns + cells[..., 0]
    near = placed[..., 2]
    slab = np.searchsorted(np.quantile(near[::9], np.arange(1, SLABS) / SLABS), near).astype(np.int32)
    count = np.bincount((cell * SLABS + slab).ravel(), minlength=(int(cell.max()) + 1) * SLABS).reshape(-1, SLABS)
    front = count[:, ::-1].cumsum(1)[:, ::-1] - count  # in nearer slabs
    return (front.ravel()[cell * SLABS + slab] > CROWD)[:, at].all(-1)


def _strokes(canvas, hair, pieces, order, chosen):
    """Draw the chosen pieces, layer by layer, one call per brightness."""
    rank = np.argsort(order[chosen], kind="stable")
    groups, starts = np.unique(order[chosen][rank], return_index=True)
    lots = np.split(pieces[chosen][rank], starts[1:])
    shades = ((np.arange(SHADES) + 0.5) / SHADES * 1.25)[:, None] ** 2
    colours = np.clip(hair.rgb**2.2 * shades * 1.5 + 0.03 * np.maximum(shades - 0.45, 0), 0, 1) ** (1 / 2.2) * 255
    for group, lot in zip(groups, lots, strict=False):
        cv2.polylines(canvas, list(lot), False, (*colours[group % SHADES].tolist(), 255), 1, cv2.LINE_AA, 4)
