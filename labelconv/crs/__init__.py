"""Coordinate reference systems, rasters and tiles: maps of coordinates, always x (east) first.

| module | says |
|---|---|
| `names` | the many spellings of a CRS as one |
| `transform` | one CRS to another (the only importer of pyproj) |
| `affine` | pixels to map and back |
| `rasters` | what a GeoTIFF says; masks and polygons (the only importer of rasterio) |
| `tiling` | XYZ and TMS tiles, zoom levels, quadkeys |
| `edges` | vertices added where a straight edge bends |
| `seams` | the antimeridian and the poles |

A coordinate map is a function of (N, 2) float arrays, as `geometry.map_xy` takes it. Nothing here
goes to the network.
"""
