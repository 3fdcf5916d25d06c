/** Customers' voices are AMR, which no browser plays: decoded here they become WAV, which every browser plays. */

const HEADER_BYTES = 44;
const SAMPLE_BYTES = 2;
const LOUDEST = 0x7fff;

/** The voice as WAV. The decoder, some 100 KiB, is loaded with the first voice that is played. Throws when it is none. */
export async function amrToWav(bytes: ArrayBuffer): Promise<Blob> {
  const { default: decode } = await import('@audio/decode-amr');
  const { channelData, sampleRate } = await decode(bytes);
  const samples = channelData[0];
  if (!samples?.length) throw new Error('no AMR');
  return wav(samples, sampleRate);
}

/** One channel of 16 bits a sample. */
function wav(samples: Float32Array, sampleRate: number): Blob {
  const size = samples.length * SAMPLE_BYTES;
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + size));
  const word = (at: number, text: string): void => [...text].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  word(0, 'RIFF');
  view.setUint32(4, HEADER_BYTES - 8 + size, true);
  word(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * SAMPLE_BYTES, true);
  view.setUint16(32, SAMPLE_BYTES, true);
  view.setUint16(34, SAMPLE_BYTES * 8, true);
  word(36, 'data');
  view.setUint32(40, size, true);
  samples.forEach((sample, index) => view.setInt16(HEADER_BYTES + index * SAMPLE_BYTES, Math.max(-1, Math.min(1, sample)) * LOUDEST, true));
  return new Blob([view], { type: 'audio/wav' });
}
