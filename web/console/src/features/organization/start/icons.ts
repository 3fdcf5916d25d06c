import { IconBeauty, IconFood, IconHome, IconParcel, IconSchool, IconStore } from '@huitouke/ui/icons';
import type { Component } from 'vue';

/** The drawings that an industry may name; others get a shop. */
const ICONS: Record<string, Component> = { food: IconFood, parcel: IconParcel, scissors: IconBeauty, home: IconHome, school: IconSchool };

export function iconOf(name: string): Component {
  return ICONS[name] ?? IconStore;
}
