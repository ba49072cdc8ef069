(function () {
  var button = document.getElementById('open'), next = button.dataset.next, timer = 0, asked = false;
  var onward = document.getElementById('next'), token = onward && onward.dataset.copy;
  function stop() { clearTimeout(timer); timer = 0; }
  function goOnIn(ms) {
    var start = Date.now();
    stop();
    if (!next || token) return;
    timer = setTimeout(function () {
      timer = 0;
      // A page that slept much longer than it asked for was behind the app.
      if (document.hidden || Date.now() - start > ms + 1500) return;
      if (button.dataset.replace) location.replace(next); else location.href = next;
    }, ms);
  }
  function opened() { asked = false; stop(); }
  addEventListener('pagehide', opened);
  document.addEventListener('visibilitychange', function () { if (document.hidden) opened(); });
  // The system may ask first. Then the page waits, and goes on when it is looked at again and was never hidden.
  addEventListener('blur', function () { if (timer) { asked = true; stop(); } });
  addEventListener('focus', function () { if (asked) { asked = false; goOnIn(400); } });
  button.addEventListener('click', function () { goOnIn(800); });
  function copyOld() {
    var field = document.createElement('textarea');
    field.value = token;
    document.body.appendChild(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  }
  function leave() { location.href = onward.href; }
  if (token) onward.addEventListener('click', function (tap) {
    tap.preventDefault();
    if (navigator.clipboard) navigator.clipboard.writeText(token).catch(copyOld).then(leave, leave);
    else { copyOld(); leave(); }
  });
  // Once per visit: coming back or reloading shows the page and tries nothing.
  if (history.state && history.state.tried) return;
  history.replaceState({ tried: true }, '');
  goOnIn(900);
  location.href = button.getAttribute('href');
})();
