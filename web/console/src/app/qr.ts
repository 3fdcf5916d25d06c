import { renderSVG } from 'uqr';

/** A QR code as SVG: black on white in every theme, because phones read nothing else reliably. */
export function qrSvg(text: string): string {
  return renderSVG(text, { ecc: 'M', border: 2 });
}
