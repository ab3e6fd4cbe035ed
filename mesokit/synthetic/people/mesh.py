"""Solid parts as textured grids of vertices: the ears, the rasteriser, normals, the shadow map."""

import functools
from dataclasses import dataclass

import cv2
import numpy as np

from mesokit.synthetic.people.skin import Skin

NEAR, FAR = 20.0, 400.0  # cm from the camera
_SHADOW_SIZE = 192  # pixels of the shadow map along a side
_SHADOW_REACH, _SHADOW_FAR = 19.0, 300.0  # cm from its middle to its edge, cm to the lamp
_CAMERA = np.eye(4, dtype=np.float32)  # vertices are in camera space already
_SOLID = cv2.TriangleRasterizeSettings()
_SOLID.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
_SOLID.setShadingType(cv2.RASTERIZE_SHADING_SHADED)


@dataclass
class Part:
    """A mesh whose vertices form a grid of `shape`, so that vertex attributes can be sampled like a texture."""

    number: int  # in the raster, 1..7
    shape: tuple[int, int]  # rows, columns
    warp: tuple  # texture coordinates in [0, 1] of the columns and of the rows
    sign: float  # makes the normals of the grid point outwards
    skin: Skin
    inside: np.ndarray | None = None  # (n,) bool: the triangles that exist, for a closed surface only

    @functools.cached_property
    def marks(self):
        """Attributes that the rasteriser interpolates: place in the grid and number, (n, 3) float32."""
        u, v = np.meshgrid(np.linspace(0, 1, self.shape[1]), np.linspace(0, 1, self.shape[0]))
        return np.stack([u, v, np.full(self.shape, self.number / 8)], -1).reshape(-1, 3).astype(np.float32)

    def index(self, uv):
        """Raster coordinates (.., 2) in [0, 1] -> where to sample grids: columns, rows, float32."""
        return uv[..., 0] * np.float32(self.shape[1] - 1), uv[..., 1] * np.float32(self.shape[0] - 1)

    def texels(self, uv):
        """Raster coordinates (.., 2) -> where to sample the skin: columns, rows, float32."""
        (rows, columns), (h, w) = self.shape, self.skin.gloss.shape
        at = []
        for k, n, axis, size in zip(self.index(uv), (columns, rows), self.warp, (w, h), strict=True):
            place = np.interp(k, np.arange(n), axis).astype(np.float32)
            at.append(place * np.float32(size) - np.float32(0.5))
        return at


def unit(v):
    """Vectors (.., 3) scaled to length 1."""
    square = v * v  # summed by hand: a reduction over an axis of three takes several times longer
    length = np.sqrt(square[..., 0] + square[..., 1] + square[..., 2])
    return v / np.maximum(length, np.float32(1e-6))[..., None]


@functools.cache
def grid_triangles(rows, columns):
    """Two triangles per cell of a grid, (n, 3) int32."""
    i = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = i[:-1, :-1].ravel(), i[:-1, 1:].ravel(), i[1:, :-1].ravel(), i[1:, 1:].ravel()
    return np.concatenate([np.stack([a, c, b], -1), np.stack([b, c, d], -1)]).astype(np.int32)


def grid_part(number, shape, sign, skin):
    """A `Part` whose texture covers its whole grid."""
    warp = (np.linspace(0, 1, shape[1]), np.linspace(0, 1, shape[0]))
    return Part(number, shape, warp, sign, skin)


def ear_grid(ear_out):
    """Right ear (rows, columns, 3) in the head frame: helix, hollow and lobe on a slanted oval, `ear_out` in 0..1."""
    v, a = np.meshgrid(np.linspace(0, 1, 14), np.linspace(0, 2 * np.pi, 28))
    x, y = v * np.cos(a) * 1.5 * (1 + 0.12 * np.sin(a)), v * np.sin(a) * 2.9
    rim = np.exp(-(((v - 0.86) / 0.12) ** 2)) * np.clip(0.55 + 0.45 * np.sin(a + 0.5), 0.1, 1)
    inner = np.exp(-(((v - 0.58) / 0.14) ** 2)) * (np.cos(a + 0.4) < 0.5)
    hollow = np.exp(-((x - 0.2) ** 2 + (y + 0.2) ** 2) / 0.5)
    height = 0.45 * rim + 0.22 * inner - 0.55 * hollow - 0.3 * (v > 0.97)
    tilt = np.deg2rad(13 + 18 * ear_out)
    out = 7.25 + (x + 1.55) * np.sin(tilt) + height * np.cos(tilt)
    back = 1.3 - (x + 1.55) * np.cos(tilt) + height * np.sin(tilt)
    return np.stack([out, -1.3 + y + 0.15 * x, back], -1).astype(np.float32)


def ear_skin(tone):
    """Texture of an ear (rows around, columns from the middle out): redder than the face, dark in the hollow."""
    v, a = np.meshgrid(np.linspace(0, 1, 48), np.linspace(0, 2 * np.pi, 96))
    hollow = np.exp(-((v / 0.42) ** 2)) + 0.5 * np.exp(-(((v - 0.72) / 0.07) ** 2)) * (np.sin(a + 0.8) > -0.3)
    albedo = tone * np.array([1.0, 0.80, 0.77]) * np.exp(-0.5 * hollow[..., None] * np.array([0.7, 1.0, 1.0]))
    return Skin(albedo.astype(np.float32), np.zeros((96, 48, 2), np.float32), np.full((96, 48), 0.25, np.float32))


def _facing(points, shape):
    """Triangles of a grid that turn to the camera, (n,) bool: the front of a closed surface hides the others."""
    x, y, z = points.T.reshape(3, *shape)
    corners = np.stack([x / z, y / z])
    shared = corners[:, :-1, 1:]
    left, below, far = corners[:, :-1, :-1] - shared, corners[:, 1:, :-1] - shared, corners[:, 1:, 1:] - shared
    turned = [a[0] * b[1] > a[1] * b[0] for a, b in ((left, below), (below, far))]
    return np.concatenate([side.ravel() for side in turned])


def rasterise(parts, bodies, focal, size):
    """Camera-space vertices of all parts -> (h, w) numbers uint8, (h, w, 2) coordinates, (h, w) distance float32."""
    raster = _rasterise(parts, bodies, focal, size, front=True)
    solid = raster[0] > 0
    around = solid[:-2, 1:-1] & solid[2:, 1:-1] & solid[1:-1, :-2] & solid[1:-1, 2:]
    if (around & ~solid[1:-1, 1:-1]).any():  # a pixel between two triangles is empty: draw the back, too
        raster = _rasterise(parts, bodies, focal, size, front=False)
    return raster


def _rasterise(parts, bodies, focal, size, front):
    """As `rasterise`; with `front`, of closed surfaces only the triangles that turn to the camera are drawn."""
    drawn = []
    for part, points in zip(parts, bodies, strict=True):
        triangles = grid_triangles(*part.shape)
        if part.inside is not None:
            triangles = triangles[part.inside & _facing(points, part.shape) if front else part.inside]
        drawn.append(triangles)
    w, h = size
    colour, depth = np.zeros((h, w, 3), np.float32), np.full((h, w), FAR, np.float32)
    marks = np.concatenate([part.marks for part in parts])
    fov = float(2 * np.arctan(h / 2 / focal))
    points, triangles = _joined(bodies, drawn)
    cv2.triangleRasterize(points, triangles, marks, colour, depth, _CAMERA, fov, NEAR, FAR, _SOLID)
    return np.round(colour[..., 2] * 8).astype(np.uint8), colour[..., :2], depth


def _joined(bodies, triangles):
    """Vertices (n, 3) float32 and triangles (m, 3) int32 of several meshes as one mesh."""
    starts = np.cumsum([0] + [len(points) for points in bodies[:-1]])
    shifted = [t + np.int32(start) for t, start in zip(triangles, starts, strict=True)]
    return np.concatenate(bodies), np.concatenate(shifted)


def _tangents(points, part):
    """Unit normals and unit tangents along the grid: three (rows, columns, 3) float32."""
    p = points.reshape(*part.shape, 3)
    tu, tv = np.empty_like(p), np.empty_like(p)
    tu[:, 1:-1], tv[1:-1] = p[:, 2:] - p[:, :-2], p[2:] - p[:-2]
    tu[:, 0], tu[:, -1], tv[0], tv[-1] = tu[:, 1], tu[:, -2], tv[1], tv[-2]
    (ax, ay, az), (bx, by, bz) = np.moveaxis(tv, -1, 0), np.moveaxis(tu, -1, 0)
    normal = np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], -1)
    return unit(normal) * np.float32(part.sign), unit(tu), unit(tv)


def sample(part, points, uv, texels):
    """Fine normal, smooth normal, albedo and gloss at raster coordinates `uv` (r, c, 2), which lie at `texels`."""
    x, y = part.index(uv)
    n, tu, tv = (cv2.remap(a, x, y, cv2.INTER_LINEAR) for a in _tangents(points, part))
    albedo, slope, gloss = (
        cv2.remap(t, texels[0], texels[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for t in (part.skin.albedo, part.skin.slope, part.skin.gloss)
    )
    return unit(n - slope[..., :1] * tu - slope[..., 1:] * tv), n, albedo, gloss


def _coarse(part, points):
    """Every second vertex of a big grid and its triangles: shadows are soft, and triangles cost time."""
    if part.shape[0] < 100:
        return points, grid_triangles(*part.shape)
    half = points.reshape(*part.shape, 3)[::2, ::2]
    return np.ascontiguousarray(half.reshape(-1, 3)), grid_triangles(*half.shape[:2])


def shadows(parts, bodies, centre, key):
    """Share of the main light (direction `key`) that reaches each vertex: a list of (rows, columns) float32."""
    light = np.array(key, np.float32)
    right = unit(np.cross(np.array([0, 1, 0], np.float32), light))
    view = np.stack([right, np.cross(light, right), light], -1).astype(np.float32)
    turned = [((p - centre) @ view - np.array([0, 3.0, _SHADOW_FAR])).astype(np.float32) for p in bodies]
    coarse = [_coarse(part, p) for part, p in zip(parts, turned, strict=True)]
    points, triangles = _joined(*zip(*coarse, strict=True))
    depth = np.full((_SHADOW_SIZE, _SHADOW_SIZE), 1000, np.float32)
    fov = float(2 * np.arctan(_SHADOW_REACH / _SHADOW_FAR))
    cv2.triangleRasterizeDepth(points, triangles, depth, _CAMERA, fov, 200.0, 1000.0, _SOLID)
    return [_compare(p, part.shape, depth) for part, p in zip(parts, turned, strict=True)]


def _compare(p, shape, depth):
    """Soft shadow test of vertices (n, 3) seen from the lamp."""
    focal, middle = _SHADOW_FAR / _SHADOW_REACH * _SHADOW_SIZE / 2, _SHADOW_SIZE / 2 - 0.5
    z = -p[:, 2]
    x, y = ((middle + sign * p[:, k] * focal / z).astype(np.float32).reshape(shape) for k, sign in ((0, 1), (1, -1)))
    nearest = cv2.remap(depth, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=1000)
    lit = np.clip(1.5 - (z.reshape(shape) - nearest) / np.float32(0.8), 0, 1)
    return cv2.GaussianBlur(lit.astype(np.float32), (0, 0), 2.0)
