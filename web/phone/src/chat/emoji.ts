export const EMOJI = [...'😀😁😂🤣😊😍😘😜🤔😏😴😭😅😓😡😱🙄🥰🤗😎👍👎👌🙏👏💪🤝🌹❤️💔🎉🎁☕🍵🌞🌙'.matchAll(/\p{Extended_Pictographic}\uFE0F?/gu)].map((match) => match[0]);
