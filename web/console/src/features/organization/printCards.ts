const LAYOUTS = {
  a6: { page: '105mm 148mm', cards: 1 },
  a4: { page: 'A4', cards: 4 },
} as const;

/** Prints the card: one on A6 paper, or four on a sheet of A4 with lines to cut along. */
export function printCards(address: string, layout: keyof typeof LAYOUTS): void {
  const { page, cards } = LAYOUTS[layout];
  const frame = document.createElement('iframe');
  frame.setAttribute('aria-hidden', 'true');
  frame.style.cssText = 'position:fixed;inline-size:0;block-size:0;border:0';
  frame.srcdoc =
    `<!doctype html><style>@page{size:${page};margin:0}body{margin:0;display:flex;flex-wrap:wrap}` +
    `img{width:105mm;height:148mm;box-sizing:border-box;outline:${cards > 1 ? '0.1mm dashed gray' : 'none'}}</style>` +
    `<img src="${address}" alt="">`.repeat(cards);
  frame.onload = () => {
    const printed = frame.contentWindow;
    if (!printed) return;
    printed.onafterprint = () => frame.remove();
    printed.print();
  };
  document.body.append(frame);
}
