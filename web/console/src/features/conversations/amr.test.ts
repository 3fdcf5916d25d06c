import { expect, it } from 'vitest';
import { amrToWav } from './amr';

/** A faint hum in the 4.75 kbit/s mode (RFC 4867): 13 bytes for each 20 ms. */
const FRAME = [0x04, 0xf8, 0x71, 0x8b, 0xd1, 0x40, 0x1e, 0, 0, 0, 0, 0, 0];
const HEADER = [...'#!AMR\n'].map((letter) => letter.charCodeAt(0));
const bytes = (...parts: number[][]): ArrayBuffer => new Uint8Array(parts.flat()).buffer;

it('a voice becomes WAV of its length: 8,000 samples of 16 bits a second', async () => {
  const wav = await amrToWav(bytes(HEADER, ...Array.from({ length: 100 }, () => FRAME)));
  const view = new DataView(await wav.arrayBuffer());
  expect([wav.type, view.getUint32(24, true), view.getUint32(40, true)]).toEqual(['audio/wav', 8000, 2 * 8000 * 2]);
  const loudest = Math.max(...Array.from({ length: 16_000 }, (_, at) => Math.abs(view.getInt16(44 + 2 * at, true))));
  expect(loudest).toBeGreaterThan(0);
});

it('a last frame that was cut off is left out', async () => {
  const wav = await amrToWav(bytes(HEADER, FRAME, FRAME.slice(0, 5)));
  expect(wav.size).toBe(44 + 160 * 2);
});

it.each([['Silk, which WeChat uses too', [...'\x02#!SILK_V3 and more'].map((letter) => letter.charCodeAt(0))], ['nothing', []]])('%s is no AMR', async (_, content) => {
  await expect(amrToWav(bytes(content))).rejects.toThrow();
});
