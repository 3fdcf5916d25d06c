/** A voice to send without a microphone: AMR as WeChat sends it, frames of 20 ms in the 4.75 kbit/s mode (RFC 4867). */
const HEADER = '#!AMR\n';
const FRAMES_PER_SECOND = 50;
/** Table-of-contents byte of mode 0 with the quality bit set, then 12 bytes of speech: a faint hum. */
const FRAME = [0x04, 0xf8, 0x71, 0x8b, 0xd1, 0x40, 0x1e, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00];

export function sampleVoice(seconds: number): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(HEADER);
  const frames = seconds * FRAMES_PER_SECOND;
  const bytes = new Uint8Array(header.length + frames * FRAME.length);
  bytes.set(header);
  for (let frame = 0; frame < frames; frame++) bytes.set(FRAME, header.length + frame * FRAME.length);
  return bytes;
}
