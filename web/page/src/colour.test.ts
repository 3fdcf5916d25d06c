import { describe, expect, it } from 'vitest';
import { luminance, textOn } from './colour';

describe('the text on the shop’s colour', () => {
  it('has at least 4.5:1 on every colour that can be chosen', () => {
    for (let red = 0; red < 256; red += 15) {
      for (let green = 0; green < 256; green += 15) {
        for (let blue = 0; blue < 256; blue += 15) {
          const colour = `#${[red, green, blue].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
          const [light, dark] = [luminance(colour), luminance(textOn(colour))].sort((one, other) => other - one) as [number, number];
          expect((light + 0.05) / (dark + 0.05), colour).toBeGreaterThanOrEqual(4.5);
        }
      }
    }
  });
});
