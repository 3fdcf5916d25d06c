/** Letters and digits that nobody takes for each other when a password is read out. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const CHARACTERS = 12;

/** About 59 bits, in groups of four. */
export function randomPassword(random: (bytes: Uint32Array) => Uint32Array = (bytes) => crypto.getRandomValues(bytes)): string {
  const drawn = [...random(new Uint32Array(CHARACTERS))].map((number) => ALPHABET[number % ALPHABET.length]);
  return [0, 4, 8].map((start) => drawn.slice(start, start + 4).join('')).join('-');
}
