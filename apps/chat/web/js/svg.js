// Small SVG drawings made in the document: shapes as data, so that no markup is ever parsed.

const NAMESPACE = 'http://www.w3.org/2000/svg';

export const INK = '#4a2f13';

/**
 * One shape of a drawing.
 * @typedef {{tag: string, attributes: Record<string, string>, text?: string}} Shape
 */

/** @param {string} d @param {string} color @returns {Shape} */
export const fill = (d, color) => ({ tag: 'path', attributes: { d, fill: color } });

/** @param {string} d @param {string} [color] @param {number} [width] @returns {Shape} */
export const line = (d, color = INK, width = 1.4) => ({
  tag: 'path',
  attributes: {
    d,
    fill: 'none',
    stroke: color,
    'stroke-width': String(width),
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
  },
});

/** @param {number} cx @param {number} cy @param {number} r @param {string} [color] @returns {Shape} */
export const dot = (cx, cy, r, color = INK) => ({
  tag: 'circle',
  attributes: { cx: String(cx), cy: String(cy), r: String(r), fill: color },
});

/**
 * @param {number} cx @param {number} cy @param {number} rx @param {number} ry @param {string} color
 * @returns {Shape}
 */
export const oval = (cx, cy, rx, ry, color) => ({
  tag: 'ellipse',
  attributes: { cx: String(cx), cy: String(cy), rx: String(rx), ry: String(ry), fill: color },
});

/**
 * Makes the drawing, 24 units wide and high.
 * @param {Shape[]} shapes
 * @returns {SVGSVGElement}
 */
export function makeSvg(shapes) {
  const svg = document.createElementNS(NAMESPACE, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  for (const shape of shapes) {
    const element = document.createElementNS(NAMESPACE, shape.tag);
    for (const [name, value] of Object.entries(shape.attributes)) element.setAttribute(name, value);
    if (shape.text) element.textContent = shape.text;
    svg.append(element);
  }
  return svg;
}
