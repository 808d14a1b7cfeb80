// A link's secret.
const secret = location.hash.slice(1);
if (secret) {
  history.replaceState(null, "", "/login");
  by("secret").value = secret;
  by("login").submit();
}
