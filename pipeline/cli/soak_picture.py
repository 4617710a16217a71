"""Samples of a soak as one SVG: a small curve for each series, over the messages committed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from pipeline.cli.soak_samples import Sample, unit_of
from pipeline.units import count

_WIDTH, _HEIGHT = 460, 150
_LEFT, _TOP, _RIGHT, _BOTTOM = 12, 34, 12, 24
_COLUMNS = 2
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.name{font-weight:600}.faint{fill:#666}"
    "path{fill:none;stroke:#1f6feb;stroke-width:1.5}line{stroke:#ccc}svg{background:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.faint{fill:#999}line{stroke:#444}path{stroke:#6cb0ff}"
    "svg{background:#111}}"
)


def picture(samples: Sequence[Sample]) -> str:
    """An SVG document. Each curve begins at 0 and ends at its largest value, which is written beside its name."""
    names = list(dict.fromkeys(name for each in samples for name in each.values))
    rows = -(-len(names) // _COLUMNS)
    width, height = _COLUMNS * _WIDTH, rows * _HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">',
        f"<style>{_STYLE}</style>",
    ]
    for place, name in enumerate(names):
        across, down = place % _COLUMNS * _WIDTH, place // _COLUMNS * _HEIGHT
        parts.append(f'<g transform="translate({across} {down})">')
        parts += _curve(name, samples)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def _curve(name: str, samples: Sequence[Sample]) -> Iterator[str]:
    points = [(each.committed, each.values[name]) for each in samples if name in each.values]
    most = max(value for _, value in points)
    whole = max(each.committed for each in samples)
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    base = _TOP + height
    steps = " ".join(
        f"{'L' if number else 'M'}{_LEFT + width * done / max(whole, 1):.1f} {base - height * value / (most or 1):.1f}"
        for number, (done, value) in enumerate(points)
    )
    yield f'<text class="name" x="{_LEFT}" y="16">{escape(name)}</text>'
    yield f'<text class="faint" x="{_LEFT}" y="30">up to {most:,.1f} {unit_of(name)}</text>'
    yield f'<line x1="{_LEFT}" y1="{base}" x2="{_WIDTH - _RIGHT}" y2="{base}"/>'
    yield f'<path d="{steps}"/>'
    yield f'<text class="faint" x="{_LEFT}" y="{_HEIGHT - 8}">0</text>'
    yield (
        f'<text class="faint" x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 8}" text-anchor="end">{count(whole)} messages</text>'
    )
