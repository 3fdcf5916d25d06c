import type { Me } from '@huitouke/api';
import { defineStore } from 'pinia';
import { computed, ref } from 'vue';

/** Who is signed in; null until known, and after signing out. */
export const useSession = defineStore('session', () => {
  const me = ref<Me | null>(null);
  /** Why the shop's people can't enter at present, in the server's words. */
  const shutOut = ref('');
  const permissions = computed(() => new Set(me.value?.permissions ?? []));
  const allows = (permission: string): boolean => permissions.value.has(permission);
  const allowsAny = (wanted: readonly string[]): boolean => wanted.length === 0 || wanted.some(allows);
  return { me, shutOut, allows, allowsAny };
});
