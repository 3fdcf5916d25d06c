/** The address of an SVG, for pictures and downloads. */
export function svgAddress(svg: string): string {
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
}

/** Saves a square picture as PNG, drawn with that many pixels a side. */
export async function savePng(address: string, pixels: number, name: string): Promise<void> {
  const picture = new Image(pixels, pixels);
  picture.src = address;
  await picture.decode();
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = pixels;
  canvas.getContext('2d')?.drawImage(picture, 0, 0, pixels, pixels);
  const link = document.createElement('a');
  link.href = canvas.toDataURL('image/png');
  link.download = name;
  link.click();
}
